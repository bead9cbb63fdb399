package syntax

import (
	"fmt"
	"strings"
)

// dump writes a tree a node a line, children indented by one.
func dump(n *Node) string {
	var b strings.Builder
	dumpNode(&b, n, 0)
	return b.String()
}

func dumpNode(b *strings.Builder, n *Node, depth int) {
	b.WriteString(strings.Repeat(" ", depth))
	if n == nil {
		b.WriteString("null\n")
		return
	}
	switch n.Kind {
	case KindSmallInt:
		fmt.Fprintf(b, "int %d\n", n.Int)
	case KindID:
		fmt.Fprintf(b, "id %s\n", printable(n.Name))
	case KindStr:
		fmt.Fprintf(b, "str %s\n", printable(n.Name))
	case KindBytes:
		fmt.Fprintf(b, "bytes %s\n", printable(n.Name))
	case KindToken:
		fmt.Fprintf(b, "tok %s\n", n.Tok)
	case KindConstObject:
		fmt.Fprintf(b, "%d const ", n.Line)
		switch c := n.Const; c.Kind {
		case ConstInt:
			fmt.Fprintf(b, "int %s\n", c.Int)
		case ConstStr:
			fmt.Fprintf(b, "str %s\n", printable(c.Text))
		case ConstBytes:
			fmt.Fprintf(b, "bytes %s\n", printable(c.Text))
		case ConstFloat:
			b.WriteString("float\n")
		case ConstComplex:
			b.WriteString("complex\n")
		}
	case KindRule:
		fmt.Fprintf(b, "%d %s\n", n.Line, n.Rule)
		for _, s := range n.Sub {
			dumpNode(b, s, depth+1)
		}
	}
}

// printable writes everything but visible ASCII as %xx.
func printable(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c > ' ' && c < 127 && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}
