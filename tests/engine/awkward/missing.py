import numpy
import not_there_at_all
