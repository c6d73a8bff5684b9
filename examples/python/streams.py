"""The random streams of gradscope, as docs/streams.md defines them. Standard library only.

    python streams.py            prints the first draws of some streams, for a comparison with docs/streams.md
"""

import hashlib
import json
import math

MASK64 = 2**64 - 1
LAYERS = 256
TAIL = 3.6541528853610088
AREA = 0.004928673233974658


def _ziggurat():
    """Right edges of the layers (edge 0: of a rectangle with the area of base and tail), and their inner shares."""
    height = math.exp(-0.5 * TAIL * TAIL)
    edges = [AREA / height, TAIL]
    for layer in range(2, LAYERS):
        edge = math.sqrt(-2 * math.log(AREA / edges[layer - 1] + height))
        edges.append(edge)
        height = math.exp(-0.5 * edge * edge)
    edges.append(0.0)
    return edges, [edges[layer + 1] / edges[layer] for layer in range(LAYERS)]


EDGES, INNER = _ziggurat()


class Stream:
    """The stream `name` of the root seed: xoroshiro128+, of whose 64-bit sums the low 32 bits are used."""

    def __init__(self, seed, name):
        digest = hashlib.sha256(f"gradscope stream 1\n{seed}\n{name}".encode()).digest()
        self.s0 = int.from_bytes(digest[0:8], "big")
        self.s1 = int.from_bytes(digest[8:16], "big")

    def next(self):
        """32 random bits, unsigned."""
        s0, a = self.s0, self.s0 ^ self.s1
        out = (self.s0 + self.s1) & 0xFFFFFFFF
        self.s0 = (_rotl(s0, 24) ^ a ^ (a << 16)) & MASK64
        self.s1 = _rotl(a, 37)
        return out

    def uniform(self):
        """Uniform in [0, 1), a multiple of 2**-53."""
        high = self.next() & (2**26 - 1)
        low = self.next() & (2**27 - 1)
        return high * 2.0**-26 + low * 2.0**-53

    def integer(self, below):
        """Uniform in 0 .. below - 1."""
        limit = 2**32 // below * below
        drawn = self.next() ^ 0x80000000
        while drawn >= limit:
            drawn = self.next() ^ 0x80000000
        return drawn % below

    def permutation(self, n):
        """0 .. n - 1 in random order (Fisher-Yates from the end)."""
        order = list(range(n))
        for i in range(n - 1, 0, -1):
            j = self.integer(i + 1)
            order[i], order[j] = order[j], order[i]
        return order

    def normal(self):
        """From N(0, 1), by the ziggurat method."""
        while True:
            a, b = self.next(), self.next()
            layer = (a >> 26) | ((b >> 30) << 6)
            place = ((a & (2**26 - 1)) * 2**27 + (b & (2**27 - 1))) * 2.0**-52 - 1
            x = place * EDGES[layer]
            if abs(place) < INNER[layer]:
                return x
            if layer == 0:
                return math.copysign(self._tail(), place)
            low = math.exp(-0.5 * (EDGES[layer] ** 2 - x * x))
            high = math.exp(-0.5 * (EDGES[layer + 1] ** 2 - x * x))
            if high + self.uniform() * (low - high) < 1:
                return x

    def _tail(self):
        while True:
            beyond = -math.log(1 - self.uniform()) / TAIL
            if -2 * math.log(1 - self.uniform()) >= beyond * beyond:
                return TAIL + beyond


def _rotl(x, k):
    return ((x << k) | (x >> (64 - k))) & MASK64


def golden():
    """Draws that docs/streams.md lists."""
    result = []
    for seed, name in [(0, "initialisation"), (0, "order/stage1"), (7, "noise/stage2/3")]:
        stream = lambda: Stream(seed, name)
        words, uniform, integer, normal = stream(), stream(), stream(), stream()
        many = stream()
        result.append(
            {
                "seed": seed,
                "name": name,
                "words": [words.next() for _ in range(4)],
                "uniform": [uniform.uniform() for _ in range(2)],
                "integer": [integer.integer(1000) for _ in range(4)],
                "permutation": stream().permutation(8),
                "normal": [normal.normal() for _ in range(3)],
                # Enough for every branch of the ziggurat, its tail included.
                "normalSum": math.fsum(many.normal() for _ in range(20000)),
            }
        )
    return result


if __name__ == "__main__":
    print(json.dumps(golden(), indent=2))
