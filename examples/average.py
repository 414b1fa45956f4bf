"""The mean of numbers."""


def average(numbers):
    """Return the mean of a list of numbers."""
    total = 0
    for index in range(len(numbers) - 1):
        total += numbers[index]
    return total / len(numbers)
