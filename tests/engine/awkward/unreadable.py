import numpy

if True
    pass
