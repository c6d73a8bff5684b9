import path from 'node:path';
import {
  isBindingElement,
  isIdentifier,
  SyntaxKind,
  type Identifier,
  type Node,
} from 'typescript/unstable/ast';
import { API, SymbolFlags, type Checker, type Project, type Symbol } from 'typescript/unstable/sync';

/** A name that a module exports and declares itself: re-exports count where they are declared. */
export interface ExportedName {
  readonly file: string;
  readonly name: string;
  /** Other modules of the project that use it; by itself, use is no import. */
  readonly users: ReadonlySet<string>;
  /** Whether the module itself uses it outside its declaration. */
  readonly isUsedAtHome: boolean;
  /** An interface or a type, which is gone when the program runs. */
  readonly isType: boolean;
}

/** What the compiler knows of the files of a project; paths are relative to its folder, with forward slashes. */
export interface ProjectFacts {
  readonly files: readonly string[];
  /** Files of the project that a file imports, types and dynamic imports included. */
  importsOf(file: string): readonly string[];
  readonly exportedNames: readonly ExportedName[];
}

/** Reads the project of a tsconfig file through the compiler, which resolves imports and names as a build does. */
export function readProject(config: string): ProjectFacts {
  const root = process.cwd();
  const api = new API({ cwd: root });
  try {
    const project = api.updateSnapshot({ openProjects: [path.resolve(config)] }).getProjects()[0]!;
    const files = project.program
      .getSourceFileNames()
      .map((file) => path.relative(root, file).replaceAll(path.sep, '/'))
      .filter((file) => !/^\.\.|node_modules|\.d\.ts$/.test(file));
    const imports = new Map(files.map((file) => [file, importedFiles(project, file)]));
    return {
      files,
      importsOf: (file) => imports.get(file) ?? [],
      exportedNames: exportedNames(project, files),
    };
  } finally {
    api.close();
  }
}

const sourceOf = ({ program }: Project, file: string) => program.getSourceFile(path.resolve(file))!;

/** Where a symbol is declared, through whatever exports it on the way; null for what no file declares. */
function declared(
  checker: Checker,
  symbol: Symbol,
): { readonly file: string; readonly symbol: Symbol } | null {
  const origin = symbol.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const place = origin.declarations[0]?.path;
  return place === undefined ? null : { file: path.relative(process.cwd(), place), symbol: origin };
}

function importedFiles(project: Project, file: string): string[] {
  return sourceOf(project, file).imports.flatMap((specifier) => {
    const module = project.checker.getSymbolAtLocation(specifier);
    const place = module === undefined ? null : declared(project.checker, module);
    return place === null ? [] : [place.file];
  });
}

function exportedNames(project: Project, files: readonly string[]): ExportedName[] {
  const { checker } = project;
  const found = new Map<string, ExportedName & { readonly users: Set<string>; isUsedAtHome: boolean }>();
  for (const file of files) {
    const module = checker.getSymbolAtLocation(sourceOf(project, file));
    for (const symbol of module === undefined ? [] : checker.getExportsOfModule(module)) {
      if (symbol.flags & SymbolFlags.Alias || declared(checker, symbol)?.file !== file) continue;
      found.set(`${file}#${symbol.name}`, {
        file,
        name: symbol.name,
        users: new Set(),
        isUsedAtHome: false,
        isType: (symbol.flags & SymbolFlags.Value) === 0,
      });
    }
  }
  const names = new Set(Array.from(found.values(), ({ name }) => name));
  for (const file of files) {
    const identifiers = identifiersOf(sourceOf(project, file), names);
    for (const [identifier, symbol] of symbolsOf(checker, identifiers)) {
      const place = symbol === undefined ? null : declared(checker, symbol);
      const own = place === null ? undefined : found.get(`${place.file}#${place.symbol.name}`);
      if (own === undefined) continue;
      if (own.file !== file) own.users.add(file);
      else if (!isDeclaration(identifier)) own.isUsedAtHome = true;
    }
  }
  return [...found.values()];
}

function identifiersOf(root: Node, names: ReadonlySet<string>): Identifier[] {
  const found: Identifier[] = [];
  const visit = (node: Node): void => {
    if (isIdentifier(node) && names.has(node.text)) found.push(node);
    node.forEachChild(visit);
  };
  visit(root);
  return found;
}

const isDeclaration = (identifier: Identifier): boolean =>
  'name' in identifier.parent && identifier.parent.name === identifier;

/** What identifiers mean; of names taken out of an object (`const { a } = await import(...)`), what they are there. */
function symbolsOf(
  checker: Checker,
  identifiers: readonly Identifier[],
): (readonly [Identifier, Symbol | undefined])[] {
  const symbols = checker.getSymbolAtLocation(identifiers);
  return identifiers.map((identifier, i) => {
    const { parent } = identifier;
    if (parent.kind === SyntaxKind.ShorthandPropertyAssignment)
      return [identifier, checker.getShorthandAssignmentValueSymbol(parent)];
    if (!isBindingElement(parent) || (parent.propertyName ?? parent.name) !== identifier)
      return [identifier, symbols[i]];
    const type = checker.getTypeAtLocation(parent.parent);
    return [identifier, type === undefined ? undefined : checker.getPropertyOfType(type, identifier.text)];
  });
}
