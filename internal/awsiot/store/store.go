package store

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/skep-sim/skep/internal/awsiot/identity"
)

// Version is the format of the state directory. Bump it on any change of what is stored.
const Version = 1

const (
	dbFile    = "cloud.db"
	ownerFile = "cloud.owner" // pid and name of the process that has the database open
)

// bucket is a kind of state.
type bucket string

// The buckets.
const (
	bucketMeta        bucket = "meta"
	bucketCerts       bucket = "certificates"
	bucketThings      bucket = "things"
	bucketPolicies    bucket = "policies"
	bucketCredentials bucket = "credentials"
	bucketTypes       bucket = "thing types"
	bucketCAs         bucket = "authorities"
	Shadows           bucket = "shadows"
	Retained          bucket = "retained"
	bucketSessions    bucket = "sessions"
	Rules             bucket = "rules"
	Jobs              bucket = "jobs"
)

var buckets = []bucket{bucketMeta, bucketCerts, bucketThings, bucketPolicies, bucketCredentials, bucketTypes, bucketCAs, Shadows, Retained, bucketSessions, Rules, Jobs}

// Options say how a state directory is opened.
type Options struct {
	// Owner is what this process is to a person who finds the directory in use, such as
	// "skep cloud".
	Owner string
	// Wait is how long to wait for another process to let go; 0 means one second.
	Wait time.Duration
	// NoSync leaves the flushing to the operating system: quicker, and state survives the
	// death of the process but not of the machine. For tests.
	NoSync bool
}

// InUseError says that another process has the state directory.
type InUseError struct {
	Dir   string
	Owner string // "skep cloud (process 1234)", "" if unknown
}

func (e *InUseError) Error() string {
	who := e.Owner
	if who == "" {
		who = "another process"
	}
	return fmt.Sprintf("the cloud's state in %s is in use by %s: stop it, or choose another directory with --state", e.Dir, who)
}

// Store is an open state directory. It is safe for use by many goroutines.
type Store struct {
	dir string
	db  *bolt.DB // nil: in memory only

	registry registry

	mu      sync.Mutex
	more    *sync.Cond
	queue   []op
	closing bool
	stopped chan struct{}
	memory  map[bucket]map[string][]byte // in place of db

	changes sync.Mutex // see Exclusive

	replica atomic.Pointer[Replica] // see Replicate

	authMu    sync.Mutex
	authority *identity.Authority
}

// op is a write on its way, or with no bucket a place in the order of writes.
type op struct {
	bucket bucket
	key    string
	value  []byte // nil deletes
	done   func(error)
}

// Open opens dir, making it and an empty state if there is none. An empty dir keeps everything
// in memory. Close it when done.
func Open(dir string, o Options) (*Store, error) {
	s := &Store{dir: dir, stopped: make(chan struct{})}
	s.more = sync.NewCond(&s.mu)
	if dir == "" {
		s.memory = map[bucket]map[string][]byte{}
		for _, b := range buckets {
			s.memory[b] = map[string][]byte{}
		}
	}
	if err := s.load(o); err != nil {
		s.closeDB()
		return nil, err
	}
	go s.write()
	return s, nil
}

// load opens and reads everything. The database panics on pages that make no
// sense, so all of them are visited here, where that is a message.
func (s *Store) load(o Options) (err error) {
	const advice = "move the directory away to start anew"
	old := debug.SetPanicOnFault(true) // a page number may lead out of the file
	defer debug.SetPanicOnFault(old)
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the cloud's state in %s is damaged (%v): %s", s.dir, r, advice)
		}
	}()
	if s.dir != "" {
		if err := s.openDB(o); err != nil {
			return err
		}
		for _, b := range buckets {
			if err := s.Each(b, "", func(string, []byte) error { return nil }); err != nil {
				return err
			}
		}
	}
	if err := s.registry.load(s); err != nil {
		return fmt.Errorf("reading the cloud's state in %s: %w: %s", s.dir, err, advice)
	}
	return nil
}

func (s *Store) openDB(o Options) error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("making the cloud's state directory: %w", err)
	}
	wait := o.Wait
	if wait == 0 {
		wait = time.Second
	}
	db, err := bolt.Open(filepath.Join(s.dir, dbFile), 0o600, &bolt.Options{Timeout: wait, NoSync: o.NoSync})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return &InUseError{Dir: s.dir, Owner: readOwner(s.dir)}
	}
	var host syscall.Errno
	if errors.As(err, &host) {
		return fmt.Errorf("opening the cloud's state %s: %w", filepath.Join(s.dir, dbFile), err)
	}
	if err != nil {
		return fmt.Errorf("the cloud's state in %s is damaged (%w): move the directory away to start anew", s.dir, err)
	}
	s.db = db
	err = db.Update(func(tx *bolt.Tx) error {
		for _, b := range buckets {
			if _, err := tx.CreateBucketIfNotExists([]byte(b)); err != nil {
				return err
			}
		}
		meta := tx.Bucket([]byte(bucketMeta))
		if v := meta.Get([]byte("version")); v == nil {
			return meta.Put([]byte("version"), []byte(strconv.Itoa(Version)))
		} else if string(v) != strconv.Itoa(Version) {
			return fmt.Errorf("its format is version %s, this program knows version %d: move the directory away to start anew", v, Version)
		}
		return nil
	})
	if err != nil {
		db.Close()
		return fmt.Errorf("the cloud's state in %s: %w", s.dir, err)
	}
	// Only for the message to other processes: the lock itself is the database file's.
	owner := fmt.Sprintf("%s (process %d)\n", o.Owner, os.Getpid())
	if err := os.WriteFile(filepath.Join(s.dir, ownerFile), []byte(owner), 0o600); err != nil {
		db.Close()
		return fmt.Errorf("the cloud's state in %s cannot be written: %w", s.dir, err)
	}
	return nil
}

func readOwner(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, ownerFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// Dir is the state directory, "" for one in memory.
func (s *Store) Dir() string { return s.dir }

// Close finishes the writes under way and lets go of the directory.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		<-s.stopped
		return nil
	}
	s.closing = true
	s.more.Signal()
	s.mu.Unlock()
	<-s.stopped
	return s.closeDB()
}

func (s *Store) closeDB() error {
	if s.db == nil {
		return nil
	}
	os.Remove(filepath.Join(s.dir, ownerFile)) // while the lock is still held
	return s.db.Close()
}

// ErrClosed is the outcome of a write after Close.
var ErrClosed = errors.New("the cloud's state is closed")

// Put writes value under key (nil deletes it) and calls done when it is safe on disk or has
// failed. Writes happen in the order of the calls, and so do the calls of done; done must not
// block. Writes that come while others are being flushed are flushed together.
func (s *Store) Put(b bucket, key string, value []byte, done func(error)) {
	if r := s.through(b, key); r != nil {
		r.Put(string(b), key, value, done)
		return
	}
	s.enqueue(op{b, key, value, done})
}

// Barrier calls done after all writes before it are done.
func (s *Store) Barrier(done func(error)) {
	if r := s.replica.Load(); r != nil {
		(*r).Barrier(done)
		return
	}
	s.enqueue(op{done: done})
}

func (s *Store) enqueue(o op) {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		go o.done(ErrClosed) // never on the caller's goroutine, which may hold locks
		return
	}
	s.queue = append(s.queue, o)
	s.more.Signal()
	s.mu.Unlock()
}

// putWait is Put for callers that wait.
func (s *Store) putWait(b bucket, key string, value []byte) error {
	result := make(chan error, 1)
	s.Put(b, key, value, func(err error) { result <- err })
	return <-result
}

// write is the one goroutine that writes: it takes all that is waiting in one transaction.
func (s *Store) write() {
	defer close(s.stopped)
	for {
		s.mu.Lock()
		for len(s.queue) == 0 && !s.closing {
			s.more.Wait()
		}
		batch := s.queue
		s.queue = nil
		s.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		err := s.commit(batch)
		for _, o := range batch {
			o.done(err)
		}
	}
}

func (s *Store) commit(batch []op) error {
	if s.db == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, o := range batch {
			if o.bucket == "" {
				continue
			}
			if o.value == nil {
				delete(s.memory[o.bucket], o.key)
			} else {
				s.memory[o.bucket][o.key] = o.value
			}
		}
		return nil
	}
	writes := 0
	for _, o := range batch {
		if o.bucket != "" {
			writes++
		}
	}
	if writes == 0 {
		return nil
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		for _, o := range batch {
			if o.bucket == "" {
				continue
			}
			var err error
			if b := tx.Bucket([]byte(o.bucket)); o.value == nil {
				err = b.Delete([]byte(o.key))
			} else {
				err = b.Put([]byte(o.key), o.value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Get reads what the last finished Put of a key wrote; nil when there is nothing.
func (s *Store) Get(b bucket, key string) ([]byte, error) {
	var out []byte
	if s.db == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.memory[b][key], nil
	}
	err := s.db.View(func(tx *bolt.Tx) error {
		if v := tx.Bucket([]byte(b)).Get([]byte(key)); v != nil {
			out = append([]byte{}, v...)
		}
		return nil
	})
	return out, err
}

// Each calls f for every key with the prefix, in order of keys.
func (s *Store) Each(b bucket, prefix string, f func(key string, value []byte) error) error {
	if s.db == nil {
		s.mu.Lock()
		all := make(map[string][]byte, len(s.memory[b]))
		for k, v := range s.memory[b] {
			all[k] = v
		}
		s.mu.Unlock()
		for _, k := range slices.Sorted(maps.Keys(all)) {
			if strings.HasPrefix(k, prefix) {
				if err := f(k, all[k]); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return s.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket([]byte(b)).Cursor()
		for k, v := c.Seek([]byte(prefix)); k != nil && strings.HasPrefix(string(k), prefix); k, v = c.Next() {
			if err := f(string(k), append([]byte{}, v...)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Authority is the directory's certificate authority, made at the first call ever.
func (s *Store) Authority() (*identity.Authority, error) {
	s.authMu.Lock()
	defer s.authMu.Unlock()
	if s.authority != nil {
		return s.authority, nil
	}
	text, err := s.Get(bucketMeta, authorityKey)
	if err != nil {
		return nil, err
	}
	if text != nil {
		s.authority, err = identity.Unmarshal(text)
		return s.authority, err
	}
	a, err := identity.NewAuthority()
	if err != nil {
		return nil, err
	}
	if err := s.adopt(a); err != nil {
		return nil, err
	}
	return a, nil
}

// SetAuthority gives a fresh directory an authority made elsewhere.
func (s *Store) SetAuthority(a *identity.Authority) error {
	s.authMu.Lock()
	defer s.authMu.Unlock()
	text, err := s.Get(bucketMeta, authorityKey)
	if err != nil {
		return err
	}
	if text != nil || s.authority != nil {
		return errors.New("the cloud's state has an authority already")
	}
	return s.adopt(a)
}

func (s *Store) adopt(a *identity.Authority) error {
	text, err := a.Marshal()
	if err != nil {
		return err
	}
	if err := s.putWait(bucketMeta, authorityKey, text); err != nil {
		return fmt.Errorf("storing the local CA: %w", err)
	}
	s.authority = a
	return nil
}

// SaveRetained keeps a retained message, or with a nil value drops it, and returns when that is
// safe.
func (s *Store) SaveRetained(topic string, value []byte) error {
	return s.putWait(Retained, topic, value)
}
