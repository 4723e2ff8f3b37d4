package objectcache

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

func TestUnusedObjectsAreDropped(t *testing.T) {
	var dropped []string
	opened := 0
	c := Cache{Limit: 10, Dropped: func(name string) { dropped = append(dropped, name) }}
	use := func(name string) func() {
		t.Helper()
		data, release, err := c.Use(name, func() ([]byte, int, error) { opened++; return []byte(name), 4, nil })
		if err != nil || string(data) != name {
			t.Fatalf("%s: %q, %v", name, data, err)
		}
		return release
	}
	held := use("a")
	for _, name := range []string{"b", "c", "b", "d"} {
		release := use(name)
		release()
		release() // does nothing
	}
	if !slices.Equal(dropped, []string{"c"}) || opened != 4 {
		t.Errorf("dropped %v, opened %d", dropped, opened)
	}
	held()
	if !slices.Equal(dropped, []string{"c", "b"}) {
		t.Errorf("dropped %v", dropped)
	}
	c.Clear()
	if !slices.Equal(dropped, []string{"c", "b", "d", "a"}) || len(c.known) != 0 || c.size != 0 {
		t.Errorf("dropped %v, %d left with %d bytes", dropped, len(c.known), c.size)
	}
}

func TestAnObjectIsOpenedOnce(t *testing.T) {
	c := Cache{Limit: 100}
	var opened atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				data, release, err := c.Use("a", func() ([]byte, int, error) { opened.Add(1); return []byte("A"), 1, nil })
				if err != nil || string(data) != "A" {
					t.Errorf("got %q, %v", data, err)
				}
				release()
			}
		})
	}
	all.Wait()
	if opened.Load() != 1 {
		t.Errorf("opened %d times", opened.Load())
	}
}

func TestAFailedObjectIsOpenedAgain(t *testing.T) {
	c := Cache{Limit: 100}
	failure := errors.New("no")
	if _, _, err := c.Use("a", func() ([]byte, int, error) { return nil, 0, failure }); err != failure {
		t.Errorf("got %v", err)
	}
	if data, release, err := c.Use("a", func() ([]byte, int, error) { return []byte("A"), 1, nil }); err != nil || string(data) != "A" {
		t.Errorf("got %q, %v", data, err)
	} else {
		release()
	}
}
