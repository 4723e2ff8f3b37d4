package keyvalue

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

func TestChanges(t *testing.T) {
	stored := time.Unix(2_000_000_000, 0)
	list := []change{{"B", 1 << 40, time.Time{}}, {"A", 7, stored.Add(-time.Minute)}}
	got := decodeChanges(encodeChanges(list), stored)
	list[0].time = stored
	if !reflect.DeepEqual(got, list) {
		t.Errorf("got %v, want %v", got, list)
	}
	for _, text := range []string{"", "A", "A.1", "A.!.1", "A.1.1.1", ","} {
		if got := decodeChanges(text, stored); got != nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
	old := &Entry{Created: stored, changes: []change{{"C", 3, stored}, {"A", 1, stored}, {"D", 1, time.Time{}}, {"B", 2, stored.Add(-changeTimeout - time.Second)}}}
	want := []change{{"A", 2, time.Time{}}, {"C", 3, stored}, {"D", 1, time.Time{}}}
	if got := follow(old, change{writer: "A", number: 2}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestTooManyWriters changes a key by more writers than the header has.
func TestTooManyWriters(t *testing.T) {
	list := &Entry{}
	for i := range maxChanges + 1 {
		list.changes = follow(list, change{writer: fmt.Sprint(i), number: 1})
		if n := len(list.changes); n != min(i+1, maxChanges) || n > maxChanges {
			t.Fatalf("%d changes after %d writers", n, i+1)
		}
	}
	if i, known := list.find(change{writer: "0", number: 1}); i >= 0 || known {
		t.Errorf("a change that has left the list: %d, %v", i, known)
	}
	if i, known := list.find(change{writer: "1", number: 1}); i != maxChanges-1 || !known {
		t.Errorf("the oldest change of the list: %d, %v", i, known)
	}
	if _, known := new(Entry).find(change{writer: "0", number: 1}); known {
		t.Error("a value that was not stored by Swap")
	}
	if n := len(encodeChanges(list.changes)); n > 1<<15 {
		t.Errorf("the header has %d bytes", n)
	}
}

// TestUnknown loses the answer to a change that a value without a header follows.
func TestUnknown(t *testing.T) {
	s, ctx := open(t)
	if _, err := s.Create(ctx, "key", []byte("0")); err != nil {
		t.Fatal(err)
	}
	faulty := *s
	faulty.js = &lossy{JetStream: s.js, meanwhile: func() {
		if err := s.Put(ctx, "key", []byte("7")); err != nil {
			t.Error(err)
		}
	}}
	if _, made, err := addOnce(ctx, &faulty, "key"); made || !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v, %v", made, err)
	}
}

// TestConcurrentChangesWithLostAnswers changes a key in several goroutines of several processes
// while every third answer is lost.
func TestConcurrentChangesWithLostAnswers(t *testing.T) {
	const processes, goroutines, changes = 3, 2, 8
	s, ctx := open(t)
	if _, err := s.Create(ctx, "key", []byte("0")); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range processes {
		own := *s
		own.writers = new(writers)
		for range goroutines {
			all.Go(func() {
				for i := range changes {
					try := own
					if i%3 == 0 {
						try.js = &lossy{JetStream: s.js, loseRequest: i%2 == 0, meanwhile: func() {}}
					}
					if err := addUntilMade(ctx, &try); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	all.Wait()
	e, err := s.Get(ctx, "key")
	if want := fmt.Sprint(processes * goroutines * changes); string(e.Value) != want || err != nil {
		t.Errorf("the key has %s, %v; want %s", e.Value, err, want)
	}
	if n := len(e.changes); n > processes*goroutines+1 {
		t.Errorf("the key has %d changes of %d writers", n, processes*goroutines+1)
	}
}

func addUntilMade(ctx context.Context, s *Store) error {
	for {
		_, made, err := addOnce(ctx, s, "key")
		if made || err != nil && !errors.Is(err, nats.ErrTimeout) {
			return err
		}
	}
}
