package syntax

// chunks are the blocks in which the device keeps the nodes of a tree: the
// last one grows as long as it can do so in place.
type chunks struct {
	refs        []Ref // finished ones, and the open one last if room > 0
	open        bool
	room, taken int
}

const (
	chunkHeader = 8
	chunkInit   = 128
)

// take charges for n bytes of the open chunk.
func (k *chunks) take(c *charge, n int) {
	if c.budget == nil || c.err != nil {
		return
	}
	if k.open && k.taken+n > k.room {
		if c.budget.ResizeInPlace(k.refs[len(k.refs)-1], chunkHeader+k.room+n) {
			k.room += n
		} else {
			k.trim(c)
		}
	}
	if !k.open {
		k.room = max(chunkInit, n)
		k.refs = append(k.refs, c.alloc(chunkHeader+k.room))
		k.open = true
		k.taken = 0
	}
	k.taken += n
}

// trim cuts the open chunk to what is taken of it and closes it.
func (k *chunks) trim(c *charge) {
	if k.open {
		c.budget.ResizeInPlace(k.refs[len(k.refs)-1], chunkHeader+k.taken)
		k.open = false
	}
}

// arena makes nodes, many at a time.
type arena struct {
	nodes []Node
	lists []*Node
	toks  [numTokens]*Node
	made  int // nodes so far
}

const (
	arenaNodes = 256 // at most at a time
	arenaLists = 256
)

func (a *arena) node() *Node {
	if len(a.nodes) == 0 {
		a.nodes = make([]Node, min(16+a.made, arenaNodes))
		a.made += len(a.nodes)
	}
	n := &a.nodes[0]
	a.nodes = a.nodes[1:]
	return n
}

// list copies the nodes that a rule is made of.
func (a *arena) list(from []*Node) []*Node {
	n := len(from)
	if n == 0 {
		return nil
	}
	if n > len(a.lists) {
		if n > arenaLists/4 {
			return append([]*Node(nil), from...)
		}
		a.lists = make([]*Node, min(max(16, n)+a.made/2, arenaLists))
	}
	l := a.lists[:n:n]
	a.lists = a.lists[n:]
	copy(l, from)
	return l
}

// token gives the node of a token; equal tokens share one.
func (a *arena) token(t Token) *Node {
	if a.toks[t] == nil {
		n := a.node()
		n.Kind, n.Tok = KindToken, t
		a.toks[t] = n
	}
	return a.toks[t]
}

func (a *arena) smallInt(v int64) *Node {
	n := a.node()
	n.Kind, n.Int = KindSmallInt, v
	return n
}

func (a *arena) leaf(k Kind, s string) *Node {
	n := a.node()
	n.Kind, n.Name = k, s
	return n
}
