package main

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/perijove/perijove/kernel/internal/output"
)

// A slowSession runs each cell for as long as its code says.
type slowSession struct{ output.Session }

func (slowSession) Execute(_ context.Context, req output.Request, _ output.Sink) output.Reply {
	d, _ := time.ParseDuration(req.Code)
	time.Sleep(d)
	return output.Reply{}
}

func (slowSession) Close() error { return nil }

// TestTrimmedSession checks that memory is released once for each pause that is long enough, never while a cell runs, and
// not after the session is closed.
func TestTrimmedSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var released atomic.Int32
		s := &trimmedSession{Session: slowSession{}, release: func() { released.Add(1) }, delay: 10 * time.Second}
		expect := func(want int32, when string) {
			t.Helper()
			synctest.Wait()
			if got := released.Load(); got != want {
				t.Errorf("%s: released %d times, want %d", when, got, want)
			}
		}
		run := func(d string) { s.Execute(t.Context(), output.Request{Code: d}, nil) }
		run("30s")
		expect(0, "during a long cell")
		time.Sleep(9 * time.Second)
		run("1ms")
		time.Sleep(9 * time.Second)
		expect(0, "short pauses")
		time.Sleep(time.Hour)
		expect(1, "a long pause")
		go run("40s")
		time.Sleep(time.Second)
		run("1s")
		time.Sleep(30 * time.Second)
		expect(1, "while a cell of another subshell runs")
		time.Sleep(time.Minute)
		expect(2, "after it")
		run("1ms")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		expect(2, "after Close")
	})
}
