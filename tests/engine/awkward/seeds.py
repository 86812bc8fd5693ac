import random

import numpy as np

random.seed(5)
np.random.seed(5)
print(random.random(), np.random.rand(), np.random.default_rng(5).random())
print(random.Random(1).random(), np.random.RandomState(1).rand())
