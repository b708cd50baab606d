"""Prints how many of N random points of the unit square lie in the quarter circle, for the seed given: pi.py SEED N"""

import random
import sys

seed, points = int(sys.argv[1]), int(sys.argv[2])
source = random.Random(seed)
inside = sum(source.random() ** 2 + source.random() ** 2 < 1 for _ in range(points))
print(inside, points)
