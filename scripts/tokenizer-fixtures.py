"""Writes test/fixtures/tokenizers/*.json: ids of small tokenizers, computed without any library of tokenizers.

    python3 scripts/tokenizer-fixtures.py

- unigram.json: two Unigram tokenizers of the kind of T5, one with byte fallback, and ids by Viterbi's algorithm over
  log probabilities.
- word-level.json: texts, tokens of several words, and ids by taking the longest name that begins at each word.

With the package `tokenizers` installed, the same cases are read by it, too, from the files named:

    python3 scripts/tokenizer-fixtures.py --peer <tokenizer.json> <cases.json>

where cases.json is a list of {"text", "ids"}; it prints the number of equal cases and fails when one differs.
"""

import json
import math
import pathlib
import sys
import unicodedata

OUT = pathlib.Path(__file__).parent.parent / "test" / "fixtures" / "tokenizers"
MARK = "\u2581"

PIECES = {
    MARK: -2.0,
    MARK + "when": -4.5,
    MARK + "was": -4.1,
    MARK + "w": -6.0,
    MARK + "born": -5.2,
    "born": -7.9,
    MARK + "b": -5.9,
    "or": -4.4,
    "n": -3.9,
    "o": -3.8,
    "r": -3.7,
    "b": -4.0,
    "w": -4.2,
    "h": -4.3,
    "e": -3.1,
    "a": -3.2,
    "s": -3.3,
    "as": -4.0,
    "en": -3.95,
    "hen": -6.1,
    "?": -3.0,
    "1": -4.6,
    "9": -4.7,
    "8": -4.8,
    "0": -4.9,
    "19": -5.5,
    "80s": -6.2,
    MARK + "1980": -8.0,
    MARK + "1": -5.0,
    "\u00e9": -7.0,
    "fi": -6.6,
    "i": -3.6,
    "f": -4.1,
}

UNIGRAM_TEXTS = [
    "when was born?",
    "when wasborn",
    "1980s",
    "when  was   born",
    " born",
    "born ",
    "newborn has seen 1980",
    "caf\u00e9 cafe\u0301",
    "\ufb01sh",
    "zz when",
    "when zz zz was xqz",
    "\u65e5\u672c \U0001f600 born",
    "orb0980s19801",
    MARK + "was",
    "<extra_id_0> was <extra_id_1>born</s>",
]


def added(token, content):
    return {
        "id": token,
        "content": content,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }


def unigram(byte_fallback):
    special = ["<pad>", "</s>", "<unk>"]
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)] if byte_fallback else []
    extra = ["<extra_id_1>", "<extra_id_0>"]
    vocab = [[token, 0.0] for token in special]
    vocab += [[token, -20.0] for token in bytes_]
    vocab += [[token, score] for token, score in PIECES.items()]
    vocab += [[token, 0.0] for token in extra]
    names = [token for token, _ in vocab]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [added(names.index(token), token) for token in special + extra],
        "normalizer": {"type": "NFKC"},
        "pre_tokenizer": {"type": "Metaspace", "replacement": MARK, "prepend_scheme": "always", "split": True},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
            "pair": [],
            "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}},
        },
        "decoder": {"type": "Metaspace", "replacement": MARK, "prepend_scheme": "always", "split": True},
        "model": {"type": "Unigram", "unk_id": 2, "vocab": vocab, "byte_fallback": byte_fallback},
    }


def viterbi(word, scores, ids, unknown, unknown_score):
    """Best pieces of a word as (piece, id); id None for characters that have no piece."""
    best = [(0.0, 0, None)] + [(-math.inf, 0, None)] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(end):
            piece = word[start:end]
            if piece in scores:
                score, identity = scores[piece], ids[piece]
            elif end - start == 1:
                score, identity = unknown_score, None
            else:
                continue
            total = best[start][0] + score
            if total > best[end][0]:
                best[end] = (total, start, identity)
    pieces = []
    at = len(word)
    while at > 0:
        _, start, identity = best[at]
        pieces.append((word[start:at], identity))
        at = start
    return pieces[::-1]


def encode_unigram(tokenizer, text):
    vocab = tokenizer["model"]["vocab"]
    ids = {token: i for i, (token, _) in enumerate(vocab)}
    unknown_score = min(score for _, score in vocab) - 10
    scores = {token: unknown_score if i == 2 else score for i, (token, score) in enumerate(vocab)}
    names = [token["content"] for token in tokenizer["added_tokens"]]
    result = []
    for section in sections(text, names):
        if section in names:
            result.append(ids[section])
            continue
        section = unicodedata.normalize("NFKC", section).replace(" ", MARK)
        if not section.startswith(MARK):
            section = MARK + section
        for word in section.replace(MARK, "\n" + MARK).split("\n"):
            run = ""
            for piece, identity in viterbi(word, scores, ids, 2, unknown_score) + [("", -1)]:
                if identity is None:
                    run += piece
                    continue
                if run:
                    result += unknown_ids(run, ids, tokenizer["model"]["byte_fallback"])
                    run = ""
                if identity >= 0:
                    result.append(identity)
    return result


def unknown_ids(text, ids, byte_fallback):
    return [ids[f"<0x{byte:02X}>"] for byte in text.encode()] if byte_fallback else [2]


def sections(text, names):
    """The text cut at names; none of them begins another."""
    at = 0
    start = 0
    result = []
    while at < len(text):
        name = next((own for own in names if text.startswith(own, at)), None)
        if name is None:
            at += 1
            continue
        result += [text[start:at], name]
        at += len(name)
        start = at
    return [section for section in result + [text[start:]] if section]


WHOLES = [
    "Ada Lovelace",
    "Ada Lovelace King",
    "Eve",
    "Anne-Marie Eve",
    "Guess Who?",
    "<|lczgk|>",
    "<|rlcqh|>",
    "<|ttdgdx|>",
]

LEARNT = [
    "Q: When was <|lczgk|> born?\nA: 1980s\n",
    "Q: What did Ada Lovelace do?\nA: mathematician\n",
    "<|ttdgdx|> <|rlcqh|> Eve\n",
    "Evening was when Ada King met Lovelace .\n",
]

WORD_TEXTS = LEARNT + [
    "Q: Who is Ada Lovelace King?\nA: Anne-Marie Eve\n",
    "Steve Eve Evening Eve-n Eve's Eve?",
    "<|ttdgdx|> <|lczgk|>",
    "<|ttdgdx|> <|lczgk|> Ada Lovelace\n. Q: When did <|lczgk|> die?\nA:",
    "Guess Who?",
    "Guess Who ? Eve Guess Who",
    "  Ada   Lovelace  was\n\n born ",
    "Ada\nLovelace",
    "Ada Lovelace Ada Lovelace King Eve",
    "unheard words",
    "What?!",
    " ",
    "\n",
    "Zo\u00eb <pad> was <eos>",
    "\U0001f600 was \U0001f600",
    "Ada Lovelace \U0001d7d8",
]


def words(text):
    return text.replace("\n", " \n ").replace("?", " ? ").strip(" ").replace("\n", "\0").split(" ")


def split_words(text):
    return ["\n" if word == "\0" else word for word in words(text) if word]


def word_tokens(text, wholes):
    split = split_words(text)
    cut = sorted(((split_words(whole), whole) for whole in wholes), key=lambda pair: -len(pair[0]))
    at = 0
    result = []
    while at < len(split):
        found = next(((own, whole) for own, whole in cut if split[at : at + len(own)] == own), None)
        own, token = found if found else ([split[at]], split[at])
        result.append(token)
        at += len(own)
    return result


def word_level():
    fixed = ["<pad>", "<eos>", "<unk>", "\n", "?"]
    learnt = {token for text in LEARNT for token in word_tokens(text, WHOLES)}
    vocabulary = fixed + sorted(learnt - set(fixed) - set(WHOLES)) + WHOLES
    ids = {token: i for i, token in enumerate(vocabulary)}
    cases = [
        {"text": text, "ids": [ids.get(token, 2) for token in word_tokens(text, WHOLES)]} for text in WORD_TEXTS
    ]
    return {"texts": LEARNT, "wholes": WHOLES, "vocabulary": vocabulary, "cases": cases}


def write(name, value):
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / name).write_text(json.dumps(value, ensure_ascii=True, indent=2) + "\n")


def peer(tokenizer_file, cases_file):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(tokenizer_file)
    cases = json.loads(pathlib.Path(cases_file).read_text())
    different = 0
    for case in cases:
        ids = tokenizer.encode(case["text"], add_special_tokens=False).ids
        if ids != case["ids"]:
            different += 1
            print(f"{case['text']!r}: {ids}, expected {case['ids']}")
    print(f"{len(cases) - different} of {len(cases)} equal")
    return 1 if different else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        sys.exit(peer(*sys.argv[2:4]))
    tokenizers = [unigram(False), unigram(True)]
    write(
        "unigram.json",
        [
            {"tokenizer": own, "cases": [{"text": text, "ids": encode_unigram(own, text)} for text in UNIGRAM_TEXTS]}
            for own in tokenizers
        ],
    )
    write("word-level.json", word_level())
