# a loop that ends in a conditional jump backwards must be interruptible: the step limit is
x = 0
while not x: pass
