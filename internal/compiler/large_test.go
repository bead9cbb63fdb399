package compiler

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/skep-sim/skep/internal/mpy"
)

// Programs at the limits of what a byte or two can hold, and the SHA-256 of
// their .mpy files as mpy-cross v1.10, v1.11 and v1.12 write them; empty where
// mpy-cross fails.
var largePrograms = []struct {
	name  string
	text  func() string
	sums  [3]string
	fails [3]string // our error there
}{
	{name: "tables", sums: [3]string{
		"83d0ee5f6cf1615aea2db82beb8ca0a0296626a5dd508c6c61b9dc49b32a609d",
		"e85c45a5de3a2116a5e1b38f00e244b1d70d4b97672a0e18b96481d6879c4f35",
		"9b6bde42cb145c551dad408d0f9493cc530d70b439929adc8160dc9caa2ae81c",
	}, text: func() string {
		return "def f(a, b):\n" + repeat(300, " x = 1000000000%03[1]d\n g = lambda: a + %[1]d\n")
	}},
	{name: "tables128", sums: [3]string{
		"6a9f8a7547dc6df480eedd7d7508e9d45e18cbee88a3ae86d0a009cdbf5560d9",
		"09dd933abf13716e38f0c440b8598125d3db0af51f9d72bbd2798ed97f402405",
		"2245cfeb1bb4f0185d53258caca2938d2e0807fe3eafedbb8ec79a9fb9d9ba15",
	}, text: func() string {
		return "def f(a, b):\n" + repeat(63, " x = 1000000000%03[1]d\n g = lambda: a + %[1]d\n")
	}},
	{name: "tables129", sums: [3]string{
		"5dd6bf436aa4e558aad2f1afc5f6b84ab9473295288d7c0849ef7e7da92d6527",
		"281b19a639844aee3f094527599aff204935392d868ae743097aed5ecc0de2c4",
		"ebc48d9a5a7bab724d52bca2a56f4db07b2be8249e1c4aef94d1e0b3c8c0e7f1",
	}, text: func() string {
		return "def f(a, b, c):\n" + repeat(63, " x = 1000000000%03[1]d\n g = lambda: a + %[1]d\n")
	}},
	{name: "gaps", sums: [3]string{
		"f4f9e0224afaa52b4e3a183b9370675c97147591006e22da49ef7e5fbd676757",
		"4a70539c0122966c7d40abc1f9ad68e1db6fe33b00abdff506b8286651fc80fa",
		"f254f6bb55ded868fdaa99e7e358cb93ee983f2db958105d619b0f1deba3d967",
	}, text: func() string {
		var b strings.Builder
		for i := range 400 {
			fmt.Fprintf(&b, "x%d = 1%s\n", i, strings.Repeat("\n", i*i%(i%13+1)*i))
		}
		return b.String()
	}},
	{name: "lines", sums: [3]string{
		"",
		"",
		"82568bf96adb326bd964fad3d414fd4541e28db362e8cb062ed1e9eec75cb8bc",
	}, text: func() string {
		return "def f():\n" + repeat(8200, " x = 1\n\n\n\n\n\n\n\n\n")
	}, fails: [3]string{"function has too many lines", "function has too many lines", ""}},
	{name: "jump", sums: [3]string{
		"423250652084b36804ce818a8f0405ffc6b457315dcad659af9e097511e0dcf8",
		"dd2a4ff15b08e8ea3e1c6171c2737124252535d99ad7c170b4f1c0b4a91b0aca",
		"ea9d2054099e42d689313fdb3b50ece11d6c56f4ec3b8b527b0144366aa9e108",
	}, text: func() string {
		return "def f():\n if a:\n" + repeat(9000, "  x = 1234567\n") + " else:\n  y\n"
	}},
	{name: "cells", sums: [3]string{
		"3c07d7b69bddbdf92bd8b9831e2366b3dadcdd77712779df0fc665a6aceb38c0",
		"19000511390c9209afcdd193067003b13b1548537d3e87fe586d88c2b5b4f47b",
		"c2d4b398c209bbc55a89b37d589b93f1e7f0f78b9173eb4ca4f1d7076ac1e6b6",
	}, text: func() string { return cells(254) }},
	{name: "cells255", sums: [3]string{
		"",
		"",
		"dae821450cd74db49eda1551dec24fca6d9cd09d9b79eaa35d3d6d4c5e8fd714",
	}, text: func() string { return cells(255) },
		fails: [3]string{"too many local variables", "too many local variables", ""}},
	{name: "args", sums: [3]string{
		"629dc3d95f59743994d988d5584a0b7a9451105aece5af6fe0ef7767927b0cdb",
		"14a28cccff70d7c998df9f0da5a54ca139c3572f95f5ea3aaa32cf857396dc74",
		"2ab4195aa84c41b0d2d06e3c77fcdc395142f1f522509b2210272dde77aa6078",
	}, text: func() string {
		return "def f(" + repeat(255, "x%d, ") + "): pass\n"
	}},
	{name: "functions", sums: [3]string{
		"3227497a7e857156e67c2e6561af90cab59bde1d613d8191b78d74237069e2a8",
		"d3fc530712126e0da7c75b4101fbc22d5153c3de1ebe94309e76147841a5d82e",
		"7a67f641b51a138ac35b0703432bd6479fc15cd510cdd9dc1c8e9c04d119ba10",
	}, text: func() string {
		var b strings.Builder
		for i := range 40 {
			fmt.Fprintf(&b, "%[1]sdef f%[2]d(x%[2]d, *, k%[2]d=%[2]d):\n", strings.Repeat(" ", i), i)
		}
		return b.String() + strings.Repeat(" ", 40) + "return 0" + repeat(40, " + x%d") + "\n"
	}},
	{name: "handlers", sums: [3]string{
		"49807ce6f832514d12aed6aeb57b7a916e04f17887f06dae92882723fb7fb8a9",
		"a12e9638c15098976e3e6cb9270a9329837ecdc7ee7d4d2d6c1cc6e5d0af102b",
		"eea2f8cd25f449660fb62302f9b8c26c2b9d1c0c0406594421b81fcf43fb35c7",
	}, text: func() string {
		var b strings.Builder
		for i := range 15 {
			b.WriteString(strings.Repeat(" ", i) + "try:\n")
		}
		b.WriteString(strings.Repeat(" ", 15) + "x\n")
		for i := 14; i >= 0; i-- {
			fmt.Fprintf(&b, "%[1]sexcept a as b: c\n%[1]sfinally: d\n", strings.Repeat(" ", i))
		}
		return b.String()
	}},
	{name: "calls", sums: [3]string{
		"a90372cfe702f5a87aaf6fd89e3e24b08270baabf25083d4f62be08fad635a9e",
		"dfcc15aaaca83b73f066265f571bfdf79b7c98449ff706a01b23bd7b23c9354d",
		"2e6154fb9aaa2e7dc5c5ec260c6310d76f6bfdf5c03b61ab823c78d2add7d855",
	}, text: func() string {
		return "f(" + repeat(300, "a%d, ") + repeat(30, "b%d=1, ") + ")\n"
	}},
}

// repeat writes format n times, with the numbers from 0.
func repeat(n int, format string) string {
	var b strings.Builder
	for i := range n {
		if strings.Contains(format, "%") {
			fmt.Fprintf(&b, format, i)
		} else {
			b.WriteString(format)
		}
	}
	return b.String()
}

// cells is a function with n variables that an inner function uses.
func cells(n int) string {
	return "def f():\n" + repeat(n, " x%[1]d = %[1]d\n") + " def g(): return 0" + repeat(n, " + x%d") + "\n"
}

func TestLargePrograms(t *testing.T) {
	for _, p := range largePrograms {
		for i, sum := range p.sums {
			name := fmt.Sprintf("%s/v%d", p.name, 3+i)
			m, err := Compile([]byte(p.text()), "large.py", CrossOptions(3+i))
			if p.fails[i] != "" {
				if err == nil || !strings.Contains(err.Error(), p.fails[i]) {
					t.Errorf("%s: error %v, want %q", name, err, p.fails[i])
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			out, err := mpy.Write(m)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if got := fmt.Sprintf("%x", sha256.Sum256(out)); got != sum {
				t.Errorf("%s: %d bytes, sum %q, want %q", name, len(out), got, sum)
			}
		}
	}
}
