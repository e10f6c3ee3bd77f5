"""Numerical tools that know nothing of networks.

``gauss`` is the one quadrature rule, ``panels`` the one adaptive refinement, ``double_double`` arithmetic with twice the digits.
"""
