package rules

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skep-sim/skep/internal/awsiot/broker"
	"github.com/skep-sim/skep/internal/awsiot/clock"
	"github.com/skep-sim/skep/internal/awsiot/event"
	"github.com/skep-sim/skep/internal/awsiot/sql"
	"github.com/skep-sim/skep/internal/awsiot/store"
)

// Limits bound what rules may take.
type Limits struct {
	Queue       int // messages waiting to be evaluated; ours
	QueueBytes  int // of their payloads; ours
	Evaluations int // a second; AWS: 20000 or, in small regions, 2000
	Depth       int // of rules that republish to rules; ours: AWS goes on for ever

	HTTPTime     time.Duration // for a message with all tries; AWS: 3 s
	HTTPTries    int           // AWS: 3
	HTTPResponse int           // bytes of an answer after which there is no further try; AWS: 16384
	HTTPQueue    int           // messages waiting for web servers; ours
	HTTPWorkers  int           // requests at once; ours
}

// DefaultLimits are AWS's where it has any.
func DefaultLimits() Limits {
	return Limits{
		Queue: 10_000, QueueBytes: 64 << 20, Evaluations: 2000, Depth: 8,
		HTTPTime: 3 * time.Second, HTTPTries: 3, HTTPResponse: 16384, HTTPQueue: 1000, HTTPWorkers: 8,
	}
}

// Config is what an Engine is made of. State, Clock, Rand, Publish and PublishRule must be
// there.
type Config struct {
	State  *store.Store
	Clock  clock.Clock
	Rand   io.Reader // safe for use by many goroutines
	Log    func(event.Event)
	Limits Limits
	// Account is what accountid() gives; "" stands for 123456789012.
	Account string
	// Publish sends a message as AWS IoT itself, to services on reserved topics too.
	Publish func(broker.Message) error
	// PublishRule says which rule forbids to publish to a topic, "" for none.
	PublishRule func(topic string, retain bool) string
	// Shadow gives a shadow's document for get_thing_shadow(), nil when there is none.
	Shadow func(thing, name string) ([]byte, error)
	// Files is where the file action's relative paths lie; "" when there is no such place.
	Files string
	// HTTP makes the http action's requests; nil is the host's network.
	HTTP http.RoundTripper
}

// Engine runs rules. Make one with New.
type Engine struct {
	cfg      Config
	env      sql.Env
	errorEnv sql.Env // of error actions: no external functions
	senders  []*broker.Sender
	files    files
	web      web

	mu           sync.Mutex // of changes; the index is read without it
	destinations map[string]*destination
	index        atomic.Pointer[index]

	queue      chan task
	queueBytes atomic.Int64
	warned     atomic.Int64 // second of the last warning that the queue is full
	window     int64        // the second that evaluated counts
	evaluated  int
	stop       context.CancelFunc
	done       chan struct{}
}

// index is all rules, replaced as a whole.
type index struct {
	byName map[string]*rule
	active []*rule // enabled and with a filter
}

// task is a message for some rules.
type task struct {
	rules []*rule
	m     *broker.Message
	topic string // as topic() shows it
	depth int
}

// New loads the rules of a state directory and starts to run them.
func New(cfg Config) (*Engine, error) {
	if cfg.Account == "" {
		cfg.Account = "123456789012"
	}
	if cfg.HTTP == nil {
		cfg.HTTP = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 2}
	}
	ctx, stop := context.WithCancel(context.Background())
	e := &Engine{cfg: cfg, destinations: map[string]*destination{}, queue: make(chan task, cfg.Limits.Queue), stop: stop, done: make(chan struct{})}
	e.env = sql.Env{Now: cfg.Clock.Now, Rand: cfg.Rand, Account: cfg.Account, Shadow: cfg.Shadow}
	e.errorEnv = e.env
	e.errorEnv.Shadow = nil
	for range cfg.Limits.Depth + 1 {
		e.senders = append(e.senders, &broker.Sender{})
	}
	e.files.dir = cfg.Files
	e.web.start(ctx, e)
	if err := e.load(); err != nil {
		stop()
		return nil, err
	}
	go e.work(ctx)
	return e, nil
}

// Close ends the engine. Messages that wait are dropped, requests under way cut short.
func (e *Engine) Close() {
	e.stop()
	<-e.done
	e.web.wait()
	e.files.close()
}

// stored is a rule as it is kept.
type stored struct {
	Payload json.RawMessage `json:"topicRulePayload"`
	Created int64           `json:"created"`
}

const (
	keyRule        = "rule/"
	keyDestination = "destination/"
)

func (e *Engine) load() error {
	rules := map[string]*rule{}
	err := e.cfg.State.Each(store.Rules, "", func(key string, text []byte) error {
		if url, ok := strings.CutPrefix(key, keyDestination); ok {
			d := &destination{}
			e.destinations[url] = d
			return json.Unmarshal(text, d)
		}
		name := strings.TrimPrefix(key, keyRule)
		var s stored
		if err := json.Unmarshal(text, &s); err != nil {
			return err
		}
		r, err := e.parse(name, s.Payload)
		if err != nil {
			// One bad rule must not keep the cloud from starting; it stays where it is.
			e.log(event.Trouble, nil, fmt.Sprintf("the stored rule is left out: %v", err))
			return nil
		}
		r.created, rules[name] = s.Created, r
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading the topic rules: %w", err)
	}
	e.show(rules)
	return nil
}

// Reload reads the rules anew: another process has changed them. Counters begin again.
func (e *Engine) Reload() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.load()
}

// show makes the rules count. e.mu is held, or nobody else is there yet.
func (e *Engine) show(rules map[string]*rule) {
	x := &index{byName: rules}
	for _, r := range rules {
		if !r.payload.Disabled && r.levels != nil {
			x.active = append(x.active, r)
		}
	}
	slices.SortFunc(x.active, func(a, b *rule) int { return cmp.Compare(a.name, b.name) })
	e.index.Store(x)
}

// Message takes a message that was published. It does not block.
func (e *Engine) Message(m *broker.Message) {
	var hit []*rule
	for _, r := range e.index.Load().active {
		if matches(r.levels, m.Topic) {
			hit = append(hit, r)
		}
	}
	if hit == nil {
		return
	}
	depth := 0
	if m.From != nil {
		depth = max(slices.Index(e.senders, m.From), 0)
	}
	e.enqueue(task{hit, m, m.Topic, depth})
}

// Ingest takes a message for one rule (Basic Ingest). It does not block.
func (e *Engine) Ingest(name, topic string, m *broker.Message) {
	r := e.index.Load().byName[name]
	switch {
	case r == nil:
		e.log(event.Refused, m, fmt.Sprintf("Basic Ingest on %q: there is no rule %q", m.Topic, name))
	case r.payload.Disabled:
		e.log(event.Refused, m, fmt.Sprintf("Basic Ingest on %q: rule %s is disabled", m.Topic, name))
	default:
		e.enqueue(task{[]*rule{r}, m, topic, 0})
	}
}

func (e *Engine) enqueue(t task) {
	size := int64(len(t.m.Payload))
	if e.queueBytes.Add(size) <= int64(e.cfg.Limits.QueueBytes) {
		select {
		case e.queue <- t:
			for _, r := range t.rules {
				r.counters.matched.Add(1)
			}
			return
		default:
		}
	}
	e.queueBytes.Add(-size)
	for _, r := range t.rules {
		r.counters.dropped.Add(1)
	}
	// One line a second: the rest is counted.
	now := e.cfg.Clock.Now().Unix()
	if last := e.warned.Load(); now != last && e.warned.CompareAndSwap(last, now) {
		e.log(event.Trouble, t.m, fmt.Sprintf("the message on %q is lost to its rules, and maybe others: %d wait to be evaluated", t.m.Topic, len(e.queue)))
	}
}

// work evaluates, one message after another.
func (e *Engine) work(ctx context.Context) {
	defer close(e.done)
	for {
		select {
		case <-ctx.Done():
			return
		case t := <-e.queue:
			e.queueBytes.Add(-int64(len(t.m.Payload)))
			e.evaluate(t)
		}
	}
}

// allow counts an evaluation against the rate. It also ends loops through a service, such as
// a rule that updates the shadow whose documents it selects from.
func (e *Engine) allow(t task) bool {
	if e.cfg.Limits.Evaluations == 0 {
		return true
	}
	if now := e.cfg.Clock.Now().Unix(); now != e.window {
		e.window, e.evaluated = now, 0
	}
	e.evaluated++
	if e.evaluated == e.cfg.Limits.Evaluations+1 {
		e.log(event.Refused, t.m, fmt.Sprintf("rules: more than %d evaluations in a second; until it ends messages are dropped, such as the one on %q", e.cfg.Limits.Evaluations, t.m.Topic))
	}
	return e.evaluated <= e.cfg.Limits.Evaluations
}

func (e *Engine) evaluate(t task) {
	m := e.message(t)
	in := sql.NewInput(&e.env, m)
	for _, r := range t.rules {
		if !e.allow(t) {
			r.counters.dropped.Add(1)
			continue
		}
		out, ok, err := r.statement.Select(in)
		switch {
		case err != nil:
			r.counters.failed.Add(1)
			e.log(event.Trouble, t.m, fmt.Sprintf("rule %s on %q: %v", r.name, t.m.Topic, err))
		case ok:
			r.counters.passed.Add(1)
			e.act(&execution{rule: r, task: t, m: m, in: in, out: out})
		}
	}
}

// message is what SQL sees of a message.
func (e *Engine) message(t task) *sql.Message {
	m := &sql.Message{Topic: t.topic, Payload: t.m.Payload}
	if f := t.m.From; f != nil && f.CertID != "" {
		m.Principal = f.CertID
		if m.ClientID = f.ClientID; m.ClientID != "" {
			m.TraceID = e.uuid()
		}
		if f.IP.IsValid() {
			m.SourceIP = f.IP.String()
		}
	}
	if p := t.m.Properties; p != nil {
		m.Property = sql.Properties{ContentType: p.ContentType, ResponseTopic: p.ResponseTopic, CorrelationData: p.Correlation}
		if p.HasFormat {
			text := p.Format == 1
			m.Property.UTF8 = &text
		}
		for _, u := range p.User {
			m.Property.User = append(m.Property.User, [2]string{u.Key, u.Value})
		}
	}
	return m
}

func (e *Engine) uuid() string {
	var b [16]byte
	if _, err := io.ReadFull(e.cfg.Rand, b[:]); err != nil {
		return ""
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (e *Engine) log(kind event.Kind, m *broker.Message, text string) {
	if e.cfg.Log == nil {
		return
	}
	ev := event.Event{Time: e.cfg.Clock.Now(), Kind: kind, Text: text}
	if m != nil && m.From != nil {
		ev.Client, ev.CertID = m.From.ClientID, m.From.CertID
	}
	e.cfg.Log(ev)
}

var errNoRule = errors.New("there is no such rule")

// noRule says what to do about a name.
func noRule(name string) error {
	return fmt.Errorf("rule %q: %w; `skep cloud rule list` shows all", name, errNoRule)
}
