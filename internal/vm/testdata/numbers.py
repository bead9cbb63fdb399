# Expressions with numbers; recorded from both references (MicroPython v1.11).
class C:
    def __add__(s,o): return ('add',o)
    def __radd__(s,o): return ('radd',o)
    def __iadd__(s,o): return 'iadd'
    def __mul__(s,o): return NotImplemented
    def __int__(s): return 7
    def __neg__(s): return 'neg'
    def __contains__(s,x): return x==3
class D: pass
class E(int): pass
c=C();d=D();e=E(5)
for s in ['1+"a"','"a"+1','1+None','None+1','-"a"','~1.5','-None','+d','~d','abs("a")','1/0','1//0','1%0','divmod(1,0)','1.0/0','1.0//0','1.0%0','divmod(1.5,0)','0.0**-1','0**-1','1<<-1','1>>-1','(1<<70)<<-1','(1<<70)>>-1','(1<<70)//0','(1<<70)%0','divmod(1<<70,0)','(1<<70)/0','1<<(1<<70)','2**-1','(-8)**0.5','1 in 2','1 in 5.5','1 in d','3 in c','4 in c','c+1','1+c','c*1','1*c','d+d','d+=1' if 0 else 'd+1','1+d','int("")','int("12a")','int("9",8)','int("z",37)','int("0x1f",16)','int("0b11",0)','int("1_0")','int("12345678901234567890_1")','int(" 5 ")','int("5 x")','int(None)','int([])','int(c)','int("1.5")','int(1.5)','int(b"12")','int(1,2)','int(float("inf"))','int(float("nan"))','float("x")','float(None)','float([])','float(c)','float(b"2.5")','float(10**40)','complex("1+2j")','complex("3j")','complex(1,2)','complex("x")','1j*1j','(1+2j)/(3-4j)','(1+2j)**2','1j//1','1j<2','abs(3+4j)','1j/0','0j**-1','(1+2j)==(1+2j)','1==1.0','1.0==1','True+1','True+True','-True','~True','True&False','True<<3','True*"ab"','"ab"*True','3*[1]','[1]*3','e+1','e*2','e//2','-e','e==5','5==e','hash(e)','hash(1<<40)','hash(-5)','hash(1.5)','hash(True)','(5).to_bytes(2,"big")','(5).to_bytes(6,"little")','(-5).to_bytes(6,"big")','(-(1<<40)).to_bytes(8,"big")','(1<<40).to_bytes(3,"little")','(5).to_bytes(-1,"big")','int.from_bytes(b"","big")','int.from_bytes(b"\x01\x02","little")','int.from_bytes(b"\xff\xff\xff\xff","big")','int.from_bytes("a","big")','round(2.5)','round(3.5)','round(-2.5)','round(1234.567,2)','round(15,-1)','round(25,-1)','round(-15,-1)','round(1<<70,-5)','round(5,1)','round("a")','round(float("inf"))','pow(2,10)','pow(2,10,7)','pow(2,-1,7)','pow(2.0,1,7)','pow(0,0)','0.0**0','float("nan")==float("nan")','float("nan")!=float("nan")','1.5 is 1.5','bool([])','bool(1<<70)','bool(0.0)','bool()','bool(1,2)','int()','float()','complex()','[1]<1','1<"a"','1.5<"a"','(1<<70)<"a"','(1<<70)+"a"','(1<<70)+[]','1<<70==1<<70','(1<<70)==1.0','(1<<70)&1.5','1.5&1','1.5<<1','divmod(7,-2)','divmod(-7,2)','divmod(1<<70,-3)','7.5%-2','-7.5//2','1e38*10','-1e38*10','"%d"%(1<<70)','"%x"%-255','"%o"%8','hex(-1)','oct(-8)','bin(-5)','"{:,}".format(123456789012)','"{:,}".format(1234567)','"{:+d}".format(5)','"{:08.3f}".format(-3.14159)','"{:e}".format(12345.678)','"{:g}".format(1e-5)','"{:%}".format(0.25)','"{:b}".format(1<<40)','"{:#o}".format(8)','"{:#X}".format(255)','1_000+1','not 1<<70','(1<<70) is (1<<70)','max(1,2.5,True)','-(-2**30)','-2**30//-1','divmod(-2**30,-1)','abs(-2**30)','2**31-1','-2**31','1.5.real' if 0 else '1.5','(1j).real','(1j).imag','int.x','(5).x']:
    try: r=repr(eval(s))
    except Exception as x: r=repr(x)
    print(s,'\t',r)
x=c; x+=1; print(x)
x=d
try: x-=1
except TypeError as z: print(z)
x=5; x*=1.5; x//=2; print(x); x=5; x<<=70; x>>=68; x|=1; x^=3; x&=30; x**=3; x%=1000; print(x)
