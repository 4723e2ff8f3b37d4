package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/perijove/perijove/lib/cluster"
	"github.com/perijove/perijove/lib/mp"
)

const subject = "bench.request"

// An address has the URL and the token of the NATS server to which child processes connect.
type address struct{ URL, Token string }

// reply replies to requests until ctx ends.
func reply(ctx context.Context, s address) error {
	nc, err := nats.Connect(s.URL, nats.Token(s.Token))
	if err != nil {
		return err
	}
	defer nc.Close()
	if _, err := nc.QueueSubscribe(subject, "workers", func(m *nats.Msg) { _ = m.Respond(m.Data) }); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// openRequests starts a server and child processes that reply to requests. It returns a
// function that makes n requests, inflight at a time.
func openRequests(ctx context.Context, workers int) (request func(ctx context.Context, n int) error, stop func(), err error) {
	c, err := cluster.Open(ctx)
	if err != nil {
		return nil, nil, err
	}
	s := address{c.URL(), c.Token()}
	children, cancel := context.WithCancel(ctx)
	nc, err := nats.Connect(s.URL, nats.Token(s.Token))
	for i := 0; i < workers && err == nil; i++ {
		_, err = mp.Start(children, mp.Processes, reply, s)
	}
	stop = func() {
		cancel()
		if nc != nil {
			nc.Close()
		}
		_ = c.Close()
	}
	if err == nil {
		err = awaitReplies(nc)
	}
	if err != nil {
		stop()
		return nil, nil, err
	}
	return func(ctx context.Context, n int) error { return requestAll(ctx, nc, n) }, stop, nil
}

// awaitReplies waits until a child replies.
func awaitReplies(nc *nats.Conn) error {
	for last := time.Now().Add(time.Minute); ; {
		_, err := nc.Request(subject, nil, time.Second)
		if err == nil || !errors.Is(err, nats.ErrNoResponders) && !errors.Is(err, nats.ErrTimeout) || time.Now().After(last) {
			return err
		}
	}
}

func requestAll(ctx context.Context, nc *nats.Conn, n int) error {
	work := make(chan int)
	errs := make([]error, inflight)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			for range work {
				if _, err := nc.RequestWithContext(ctx, subject, make([]byte, 8)); err != nil {
					errs[i] = err
				}
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	all.Wait()
	return errors.Join(errs...)
}
