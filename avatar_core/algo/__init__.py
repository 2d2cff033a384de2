"""The mathematics of AVATAR: tensors in, tensors out, one equation to a function."""
