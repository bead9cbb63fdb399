package store

// SessionStore is the part of a Store that keeps persistent MQTT sessions; it is a
// broker.SessionStore. Its writes go with all others: what waits is one transaction.
type SessionStore struct{ s *Store }

// SessionStore gives the part of s that keeps sessions.
func (s *Store) SessionStore() SessionStore { return SessionStore{s} }

// Put writes a key, or with a nil value deletes it, and calls done from another goroutine when
// that is safe.
func (k SessionStore) Put(key string, value []byte, done func(error)) {
	k.s.Put(bucketSessions, key, value, done)
}

// Barrier calls done after all writes before it are done.
func (k SessionStore) Barrier(done func(error)) { k.s.Barrier(done) }

// Each gives every key with its value, in order of keys.
func (k SessionStore) Each(f func(key string, value []byte) error) error {
	return k.s.Each(bucketSessions, "", f)
}
