package sql

import (
	"math/big"
	"sync"
)

// md2Size is the block and the sum of MD2.
const md2Size = 16

// md2Table is RFC 1319's permutation of 0 to 255, made as the RFC says from the digits of pi:
// a shuffle whose random numbers are those digits.
var md2Table = sync.OnceValue(makeMD2Table)

func makeMD2Table() (s [256]byte) {
	digits := piDigits(722)
	at := 0
	// rand gives a number below n from as many digits as n-1 has, trying again above the
	// largest multiple of n.
	rand := func(n int) int {
		for {
			width, span := 1, 10
			switch {
			case n > 100:
				width, span = 3, 1000
			case n > 10:
				width, span = 2, 100
			}
			x := 0
			for range width {
				x = x*10 + digits[at]
				at++
			}
			if x < n*(span/n) {
				return x % n
			}
		}
	}
	for i := range s {
		s[i] = byte(i)
	}
	for i := 2; i <= 256; i++ {
		j := rand(i)
		s[j], s[i-1] = s[i-1], s[j]
	}
	return s
}

// piDigits computes decimal digits of pi, 3 1 4 ..., by Machin's formula.
func piDigits(n int) []int {
	unit := pow10(n + 10)
	arctan := func(x int64) *big.Int { // of 1/x
		sum, square := new(big.Int), big.NewInt(x*x)
		term := new(big.Int).Quo(unit, big.NewInt(x))
		for k := int64(1); term.Sign() != 0; k += 2 {
			part := new(big.Int).Quo(term, big.NewInt(k))
			if k%4 == 1 {
				sum.Add(sum, part)
			} else {
				sum.Sub(sum, part)
			}
			term.Quo(term, square)
		}
		return sum
	}
	pi := new(big.Int).Mul(big.NewInt(16), arctan(5))
	pi.Sub(pi, new(big.Int).Mul(big.NewInt(4), arctan(239)))
	text := pi.String()
	out := make([]int, n)
	for i := range out {
		out[i] = int(text[i] - '0')
	}
	return out
}

// md2 is the hash of RFC 1319.
func md2(data []byte) (sum [md2Size]byte) {
	n := md2Size - len(data)%md2Size
	msg := append([]byte(nil), data...)
	for range n {
		msg = append(msg, byte(n))
	}
	table := md2Table()
	var check [md2Size]byte
	last := byte(0)
	for i := 0; i < len(msg); i += md2Size {
		for j := range check {
			check[j] ^= table[msg[i+j]^last]
			last = check[j]
		}
	}
	msg = append(msg, check[:]...)
	var x [3 * md2Size]byte
	for i := 0; i < len(msg); i += md2Size {
		for j := range md2Size {
			x[md2Size+j] = msg[i+j]
			x[2*md2Size+j] = x[md2Size+j] ^ x[j]
		}
		t := byte(0)
		for round := range 18 {
			for k := range x {
				x[k] ^= table[t]
				t = x[k]
			}
			t += byte(round)
		}
	}
	copy(sum[:], x[:])
	return sum
}
