# An __eq__ is called once for each comparison that v1.11 makes (the output is its own).
class N:
    def __hash__(self): return 5
    def __eq__(self, o): print('eq', o); return False
print('A')
e = {N(): 1}
print('B')
e[5] = 2
print('C')
e[5] = 7
print('D')
f = {N():1, 5:2}
print('E')
g = dict([(N(),1),(5,2)])
print('F')
g[5]=3
print('G')
g[6]=3
g[7]=3
print('H')
g[5] = 2
print('I')
h={}
h[N()]=1
print('J')
h[5]=1
