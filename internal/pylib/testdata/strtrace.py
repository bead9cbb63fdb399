# The names that strtrace.txt uses.
from array import array
import uio, ustruct, ujson, ubinascii
s='hello wide world'; b=b'hello wide world'; n=12345; f=1.5; l3=['ab','cd','ef']
ba=bytearray(b'0123456789'); ar=array('i',[1,2,3]); mv=memoryview(ba); big=1<<100
def new(): return bytearray(10)
interned=['abc','wide','abcdef']
