"""Convolution of maps in the terms of the registers."""

from maxexp.synthesis.native.convolution import Convolution

OPERATION = Convolution()
