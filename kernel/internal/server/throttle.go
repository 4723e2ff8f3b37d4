package server

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	maxLinesPerPeriod = 20
	logPeriod         = time.Minute
)

// Throttle returns a handler that passes at most 20 lines a minute of each message
// text to next. The last of these lines says that more are suppressed. Unauthenticated peers can make the kernel log,
// so the size of the log must be bounded.
func Throttle(next slog.Handler) slog.Handler {
	return throttle{next, &counts{lines: make(map[string]int)}}
}

type throttle struct {
	slog.Handler
	counts *counts
}

type counts struct {
	mu    sync.Mutex // guards the fields below
	since time.Time
	lines map[string]int // by message text; there are few texts since all are constants
}

func (c *counts) next(r slog.Record) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Time.Sub(c.since) > logPeriod {
		c.since = r.Time
		clear(c.lines)
	}
	c.lines[r.Message]++
	return c.lines[r.Message]
}

func (t throttle) Handle(ctx context.Context, r slog.Record) error {
	switch n := t.counts.next(r); {
	case n > maxLinesPerPeriod:
		return nil
	case n == maxLinesPerPeriod:
		r.Add("more", "suppressed for a minute")
	}
	return t.Handler.Handle(ctx, r)
}

func (t throttle) WithAttrs(attrs []slog.Attr) slog.Handler {
	return throttle{t.Handler.WithAttrs(attrs), t.counts}
}

func (t throttle) WithGroup(name string) slog.Handler {
	return throttle{t.Handler.WithGroup(name), t.counts}
}
