// What the capacity benchmark counts instructions of: whole numbers, tables in memory and some
// floating point, in about the shares that the programs of docs/benchmarks.md have. No library.
static unsigned table[65536];

__attribute__((export_name("run"))) unsigned run(unsigned rounds, unsigned seed) {
  unsigned a = seed | 1, b = 0x9e3779b9u;
  double x = 0.5;
  for (unsigned i = 0; i < rounds; i++) {
    a ^= a << 13;
    a ^= a >> 17;
    a ^= a << 5;
    b = (b << 7 | b >> 25) + table[a & 65535];
    table[(a + b) & 65535] = b ^ i;
    if ((b & 7) == 0) x = 3.7 * x * (1.0 - x);
    else b += a * 2654435761u;
  }
  return a ^ b ^ (unsigned)(x * 1e6);
}
