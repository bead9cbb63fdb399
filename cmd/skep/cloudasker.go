package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// sharedCloud is a local AWS IoT that another process runs.
type sharedCloud struct{ info shareInfo }

// errNotTaken says that the other process has not begun with what was asked.
var errNotTaken = errors.New("the process that runs the local AWS IoT is about to end")

// findShared finds who runs the cloud on the state in dir; nil is nobody.
func findShared(dir string) (*sharedCloud, error) {
	text, err := os.ReadFile(filepath.Join(dir, shareFile))
	if err != nil {
		return nil, nil
	}
	c := &sharedCloud{}
	if json.Unmarshal(text, &c.info) != nil {
		return nil, nil
	}
	// A file may outlive its process.
	conn, err := net.DialTimeout("tcp", c.info.Control, shareDelay)
	if err != nil {
		return nil, nil
	}
	conn.Close()
	if c.info.Protocol != shareProtocol {
		return nil, fmt.Errorf("the local AWS IoT of %s is of another version of skep: stop it, and start it with this one", c.info.Owner)
	}
	if err := c.ask("hello", []byte("{}"), nil); err != nil {
		return nil, nil
	}
	return c, nil
}

// dial asks, and waits until it is taken.
func (c *sharedCloud) dial(q shareRequest) (net.Conn, *json.Decoder, error) {
	conn, err := net.DialTimeout("tcp", c.info.Control, shareDelay)
	if err != nil {
		return nil, nil, errNotTaken
	}
	conn.SetDeadline(time.Now().Add(shareDelay))
	q.Token = c.info.Token
	in := json.NewDecoder(conn)
	var reply shareReply
	if json.NewEncoder(conn).Encode(q) != nil || in.Decode(&reply) != nil || !reply.Taken {
		conn.Close()
		return nil, nil, errNotTaken
	}
	return conn, in, nil
}

// ask has an operation carried out, and puts its answer into out if that is not nil.
func (c *sharedCloud) ask(do string, in json.RawMessage, out any) error {
	conn, replies, err := c.dial(shareRequest{Do: do, In: in})
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(shareWork))
	var reply shareReply
	if err := replies.Decode(&reply); err != nil {
		return fmt.Errorf("asking the local AWS IoT of %s: %w", c.info.Owner, err)
	}
	if reply.Error != "" {
		return errors.New(reply.Error)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(reply.Out, out)
}

// flow hands the items of a flow to each until ctx is done, then those of up to then.
// It returns errCloudEnded when the cloud has ended first. begun is called when the
// flow has begun.
func (c *sharedCloud) flow(ctx context.Context, do string, in json.RawMessage, begun func(), each func(json.RawMessage) error) error {
	conn, replies, err := c.dial(shareRequest{Do: do, In: in, Flow: true})
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Time{})
	stop := context.AfterFunc(ctx, func() {
		conn.SetReadDeadline(time.Now().Add(time.Second))
		conn.(*net.TCPConn).CloseWrite() // the other side then sends what is left, and ends
	})
	defer stop()
	begun()
	for {
		var reply shareReply
		err := replies.Decode(&reply)
		switch {
		case err == nil && !reply.Ended:
			if err := each(reply.Out); err != nil {
				return err
			}
		case ctx.Err() != nil:
			return nil
		case reply.Error != "":
			return errors.New(reply.Error)
		default:
			return errCloudEnded
		}
	}
}
