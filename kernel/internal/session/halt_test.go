package session

import (
	"fmt"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/output"
)

// TestInterruptsUnderCollection stops goroutines in every state while the garbage
// collector runs all the time, checks every pointer and overwrites freed memory.
// Each goroutine has values that only its deferred functions refer to.
func TestInterruptsUnderCollection(t *testing.T) {
	img := newTestSession(t).cfg.Image
	s, err := New(Config{Image: img, Env: []string{"GOGC=1", "GODEBUG=clobberfree=1,invalidptr=1,gccheckmark=0"}, ProgressDelay: noProgress})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	execute(t, s, `type node struct { next *node; text string }
func chain(n int) *node { if n == 0 { return nil }; return &node{chain(n-1), fmt.Sprint("node ", n)} }
wake := make(chan bool)
whole, broken := 0, 0
func check(c *node) {
	for n := 50; c != nil; c, n = c.next, n-1 { if c.text != fmt.Sprint("node ", n) { broken++; return } }
	whole++
}

func hold(f func()) {
	c := chain(50)
	defer check(c)
	d := chain(50)
	defer func() { check(d) }()
	f()
}
func holdInLoop(f func()) {
	c := chain(50)
	for range 3 {
		defer check(c)
		f()
	}
}
go func() { for { _ = chain(100); time.Sleep(100 * time.Microsecond) } }()`)
	kinds := []string{
		"for {}", "<-wake", "for { strings.Repeat(`x`, 1<<12) }", "for { runtime.Gosched() }", "for { time.Sleep(time.Microsecond) }",
		"for { chain(20) }", "for { sort.Slice(make([]int, 100), func(i, j int) bool { return chain(3) == nil }) }", "select {}",
	}
	blocked := 0
	for i := range 6 * len(kinds) {
		kind := kinds[i%len(kinds)]
		hold := []string{"hold", "holdInLoop"}[i/len(kinds)%2]
		tr := &transcript{trigger: "begun", action: func() { go s.Interrupt() }}
		code := fmt.Sprintf("fmt.Println(\"begun\")\n%s(func() { %s })", hold, kind)
		if r := s.Execute(t.Context(), output.Request{Code: code, StoreHistory: true}, tr); r.Error == nil || r.Error.Name != "Interrupted" {
			t.Fatalf("%s: %v", code, r.Error)
		}
		if strings.Contains(tr.text(), "its deferred functions") {
			blocked++
		}
	}
	mustContain(t, execute(t, s, "for range 100 { select { case wake <- true: case <-time.After(time.Millisecond): } }\nruntime.GC()\nfmt.Println(whole > 0, broken)"), "true 0")
	t.Logf("%d of %d stayed blocked; %s", blocked, 6*len(kinds), execute(t, s, "whole"))
}
