import { expect, test } from 'vitest';
import { lineChart, renderPlain } from '../../../src/report/charts/index.js';
import { numbers } from './support.js';

const x = numbers(401, (i) => i * 50);
const curve = (height: number, swing: number): number[] =>
  x.map((at, i) => height * (1 - Math.exp(-at / 4000)) + swing * Math.sin(i / 9) * Math.exp(-at / 9000));
const first = curve(0.3, 0.05);
const series = [
  { name: 'qd1consis', x, y: first, low: first.map((y) => y - 0.03), high: first.map((y) => y + 0.03) },
  { name: 'qd2incons', x, y: curve(0.1, 0.08) },
  { name: 'shuffled', x, y: curve(-0.05, 0.1).map((y, i) => (i > 200 && i < 230 ? null : y)) },
];
const stages = [
  { x: 0, label: 'stage 1' },
  { x: 12_000, label: 'stage 2' },
];
const show = (options: Parameters<typeof lineChart>[0]): string =>
  `\n${renderPlain(lineChart(options)).join('\n')}\n`;

test('several series with a band, a gap, stages and a cursor', () => {
  expect(
    show({ series, width: 80, height: 18, xLabel: 'step', yLabel: 'cosine', markers: stages, cursor: 8000 }),
  ).toMatchInlineSnapshot(`
    "
    cosine
        stage 1                                      stage 2
       │┊                             │    ⠄       ⠄ ┊ ⠄     ⠄ ⠄⠁⠄ ⠄ ⠄ ⠄ ⠄⠁⠄⠁⠄ ⠄ ⠄ ⠄
    0.3┤┊                      ⠄ ⠄    │  ⣠⠤⠤⢄⣀⠁⠄ ⠄⣀⠴⠒⠋⠓⠒⠤⣄⣀⣀A⠖⠚⠉⠉⠉⠓⠲⠤⠤⠤⠒⠚⠉⠉⠉⠉⠑⠒⠒⠒⠒⠚⠉
       │┊                    ⠄⢠⠔⠒⠲⢤⡀⠁⠄⢀⡴⠊⠄⠁⠄⠁⠈⠙⠒⠒⠋⠁⠄⠁┊⠁ ⠁⠄⠁⠄⠁⠄⠁ ⠁ ⠁ ⠁⠄⠁ ⠁ ⠁ ⠁ ⠁ ⠁ ⠁
       │┊            ⠄⡀⠄     ⡴⠁⠄⠁ ⠁⠈A⠉⠁⠄⠁     ⠁ ⠁    ┊
    0.2┤┊          ⢀⡴⠉⠈⠙⠦⣀⣀⡠⠋⠄⠁     ⠁ │              ┊
       │┊         ⢀⡞⠁   ⠁⠄⠁⠄⠁         │              ┊
       │┊  ⠄     ⢀⠎⠄           ⢀⣀     │   ⣀⡀         ┊
    0.1┤┊ ⢠⣔A⣄⠁⠄⣠⠏⠁⢀B⠉⠳⡄      ⡴⠉⠈⠑⣄   │ ⣠⠊⠁⠈B⢄⡀   ⣠⠔⠋⠉⠉⠲⢄⡀  ⢀⡤⠒⠉⠉⠑⠢⢤B⣀⣀⡠⠴⠒⠋⠑⠒⠦⢤⣀⣀⣠⠤⠖
       │┊⣰⠉⠻⣧⠄⠉⠋⠁⠄ ⡜   ⠘⣄   ⢀⡞    ⠈⠣⣀ ⣠⠞      ⠙⠲⠴⠚⠁  ┊   ⠉⠉⠉⠁        ⠉
       │⢀⠇⠁ ⢻⢢⠁ ⠁ ⡜⠁⣠⠦⣄ ⠈⢦⣀⣠⠎       ⠈⠉│              ┊
      0┤⠞⠄⠄ ⠈⣎⢆ ⠄⡴⠁⡰⠁ ⠘⢆⠄ ⠄ ⠄ ⢀⠔⠲⣄⠄ ⠄ │ ⠄ ⢀ ⠄ ⠄ ⠄ ⠄ ⠄┊⠄ ⠄ ⠄ ⠄ ⠄ ⠄ ⠄ ⠄ ⠄ ⠄ ⠄ ⠄ ⠄ ⠄ ⠄
       │┊    ⠸⡈⠓⠚⠁⢠⠃   ⠘⡄    ⢠⠋  ⠈⢆   │ ⢠⠞⠉⠉⠢⡀     ⢀C⠒⠦⣄      ⣀⡤⠤⣄⡀      ⢀⣀⣀⡀
       │┊     ⢇  ⢀⠇     ⠙⡄  ⣠⠃     ⢣⡀ │⡴⠁    ⠙⠂      ┊ ⠈⠳⢤⣀⣀⡤⠊⠁   ⠙⠲⢤⣀⡤⠔⠋⠁  C⠑⠢⠤⠤⠤⠒⠉
       │┊     ⠈⢦⣠⠏       ⠙⠤⠴C       ⠙⠒⠋              ┊
       └┬──────┬───────┬──────┬───────┬───────┬──────┬───────┬──────┬───────┬─ step
        0     2k      4k     6k      8k      10k    12k     14k    16k     18k   20k
    at step 8000:   ─A─ qd1consis 0.2414   ─B─ qd2incons 0.05759
    ─C─ shuffled -0.07933
    "
  `);
});

test('in ASCII, with a reference band', () => {
  const bands = [{ low: -0.02, high: 0.02, label: '95 % of null' }];
  expect(show({ series, width: 70, height: 12, xLabel: 'step', yLabel: 'cosine', ascii: true, bands }))
    .toMatchInlineSnapshot(`
    "
    cosine
    0.3+                             , ,     ,AAAA , ,AAAAAA ,AAAAAAAAAAAA
       |                   AAAAAA,AAAAAAAAAAAA, ,AAAAAA,, ,AAAA,, , ,,,,,
    0.2+          AAAAA, AAA, , AAA ,     , ,
       |         AA , AAA,,
    0.1+  AAA, AAABBBB     BBBB     BBBBB    BBBBBB   BBBBBB   BBBBBBB BBB
       | CCCBAAA,BB  BB  BBB   BBBBBB   BBBBBB    BBBBB    BBBB      BBB
      0+C...CB..BCCCCCBBBB.CCCC ..... ..... ..... ..... ..... ..... .....
       |.. .CCBBCC. .CC.. CC .CC.. CCCCCCC. .CCCCCC. .CCCCCC. .CCCCCCC .CC
       |     CCCC     CCCCC    CCCCC              CCCC     CCCCC     CCCC
       ++-----+------+-----+------+------+-----+------+-----+------+ step
        0    2k     4k    6k     8k     10k   12k    14k   16k    18k  20k
    -A- qd1consis   -B- qd2incons   -C- shuffled   ... 95 % of null
    "
  `);
});

test('on log axes', () => {
  const steps = x.slice(1);
  const y = steps.map((at) => (at === 10_000 ? -1 : 5 * (at / 50) ** -1.5 + 1e-4));
  expect(
    show({
      series: [{ name: 'loss', x: steps, y }],
      width: 60,
      height: 14,
      logX: true,
      logY: true,
      xLabel: 'step',
      yLabel: 'nats',
    }),
  ).toMatchInlineSnapshot(`
    "
    nats
         │⠉⠒⠤⣀⡀
         │    ⠈⠑⠒⠤⣀⡀
        1┤         ⠈⠉⠒⠤⣀⡀
         │              ⠈⠑⠒⠤⣀
      0.1┤                   ⠉⠑⠒⠤⣀
         │                        ⠉⠑⠒⢄⣀
         │                             ⠉⠓⠢⢄⣀
     0.01┤                                  ⠉⠓⠢⢤⣀
         │                                      ⠈⠉⠓⠦⢤⣀
         │                                           ⠈⠉⠓⠦⢤⣀
    0.001┤                                                 ⠉⠓⠲⠤⣄
         └──────┬────────────────────┬────── step ───────┬──────
               100                  1k                  10k
    ─── loss
    not positive, left out on the log axis: loss 1 point
    "
  `);
});

test('the smallest', () => {
  expect(show({ series: [{ name: '', x: [1, 2, 3], y: [1, 5, 2] }], width: 20, height: 4 }))
    .toMatchInlineSnapshot(`
    "
    4┤     ⣀⠤⠔⠊⠉⠒⠢⠤⢄⣀
    2┤⣀⠤⠒⠊⠉          ⠉⠑⠒
     └┬────────┬───────┬
      1        2       3
    "
  `);
});
