package mp_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

// An entryList holds values that cannot be shared or copied between processes.
type entryList struct {
	entries map[string]int
	ch      chan int
}

func (l *entryList) Add(name string) int {
	l.entries[name]++
	return l.entries[name]
}

func (l *entryList) Get(name string) (int, error) {
	n, ok := l.entries[name]
	if !ok {
		return 0, fs.ErrNotExist
	}
	return n, nil
}

func (l *entryList) Fail(string) int { panic("no") }

func writeEntries(r *mp.Ref[entryList]) error {
	for range 100 {
		if _, err := mp.Ask[int](context.Background(), r, (*entryList).Add, "x"); err != nil {
			return err
		}
	}
	_, err := mp.Ask[int](context.Background(), r, (*entryList).Get, "y")
	if !errors.Is(err, fs.ErrNotExist) {
		return errors.New("an unknown name is found")
	}
	_, err = mp.Ask[int](context.Background(), r, (*entryList).Fail, "")
	if _, ok := errors.AsType[*mp.PanicError](err); !ok {
		return errors.New("a panic of the served object does not come back")
	}
	return nil
}

func TestServedObject(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		r := made(mp.Serve(&entryList{entries: map[string]int{}, ch: make(chan int)}))
		team(t, b, writeEntries, r)
		expect(t, parties*100)(mp.Ask[int](watchdog(t), r, (*entryList).Get, "x"))
		r.Close()
	})
}
