# a built-in function that goes on and on counts steps as well
sum(range(10 ** 9))
