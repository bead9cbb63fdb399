package cluster

import (
	"time"

	"github.com/nats-io/nats.go"
)

// answerTime is how long the others have to answer a question. A node that is dead, and not known to be, is waited
// for so long.
const answerTime = 2 * time.Second

// askNodes puts a question to all nodes that are there, and to this one too when it would hear itself on nc. took
// gets each answer, and takes the node that it is of out of those that are waited for. silent are the nodes that have
// not answered in time.
func (c *Cluster) askNodes(nc *nats.Conn, subject string, question []byte, took func(m *nats.Msg, waiting map[string]bool)) (silent []string, err error) {
	waiting := map[string]bool{}
	for _, node := range c.live() {
		if node != c.node || nc != c.nc {
			waiting[node] = true
		}
	}
	if len(waiting) == 0 {
		return nil, nil
	}
	inbox, in := nc.NewRespInbox(), make(chan *nats.Msg, 64)
	sub, err := nc.ChanSubscribe(inbox, in)
	if err != nil {
		return nil, err
	}
	defer sub.Unsubscribe()
	if err := nc.PublishRequest(c.subject(subject), inbox, question); err != nil {
		return nil, err
	}
	for late := c.after(answerTime); len(waiting) > 0; {
		select {
		case m := <-in:
			took(m, waiting)
		case <-late:
			for node := range waiting {
				silent = append(silent, node)
			}
			return silent, nil
		case <-c.ctx.Done():
			return nil, c.ctx.Err()
		}
	}
	return nil, nil
}
