package mp_test

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"github.com/perijove/perijove/lib/mp"
)

// A budgetPage holds values that cannot be shared or copied between processes.
type budgetPage struct {
	entries map[string]int
	ch      chan int
}

func (l *budgetPage) Add(name string) int {
	l.entries[name]++
	return l.entries[name]
}

func (l *budgetPage) Get(name string) (int, error) {
	n, ok := l.entries[name]
	if !ok {
		return 0, fs.ErrNotExist
	}
	return n, nil
}

func (l *budgetPage) Fail(string) int { panic("no") }

func writeEntries(r *mp.Ref[budgetPage]) error {
	for range 100 {
		if _, err := mp.Ask[int](context.Background(), r, (*budgetPage).Add, "x"); err != nil {
			return err
		}
	}
	_, err := mp.Ask[int](context.Background(), r, (*budgetPage).Get, "y")
	if !errors.Is(err, fs.ErrNotExist) {
		return errors.New("an unknown name is found")
	}
	_, err = mp.Ask[int](context.Background(), r, (*budgetPage).Fail, "")
	if _, ok := errors.AsType[*mp.PanicError](err); !ok {
		return errors.New("a panic of the served object does not come back")
	}
	return nil
}

func TestServedObject(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		r := made(mp.Serve(&budgetPage{entries: map[string]int{}, ch: make(chan int)}))
		team(t, b, writeEntries, r)
		expect(t, parties*100)(mp.Ask[int](watchdog(t), r, (*budgetPage).Get, "x"))
		r.Close()
	})
}
