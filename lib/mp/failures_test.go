package mp_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// A fussy is a number that cannot be encoded or decoded for some values.
type fussy struct{ N int }

func (f fussy) GobEncode() ([]byte, error) {
	if f.N == 1000 {
		panic("no way out")
	}
	if f.N%10 == 3 {
		return nil, fmt.Errorf("%d does not go out: %w", f.N, fs.ErrPermission)
	}
	return []byte{byte(f.N)}, nil
}

func (f *fussy) GobDecode(b []byte) error {
	if b[0] == 255 {
		panic("no way in")
	}
	if f.N = int(b[0]); f.N%10 == 7 {
		return fmt.Errorf("%d does not come in", f.N)
	}
	return nil
}

func toFussy(n int) fussy   { return fussy{n} }
func fromFussy(f fussy) int { return f.N }

// TestResultThatDoesNotTravel checks that a result that cannot be encoded or decoded is
// an error. (Python's Pool hangs if it cannot be decoded.)
func TestResultThatDoesNotTravel(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(3))
	var futures []*mp.Future[fussy]
	for i := range 100 {
		futures = append(futures, mp.Submit[fussy](watchdog(t), p, toFussy, i))
	}
	for i, f := range futures {
		v, err := f.Result(watchdog(t))
		switch i % 10 {
		case 3:
			refused(t, err, "result of ", "mp_test.toFussy", fmt.Sprintf("%d does not go out", i))
			if !errors.Is(err, fs.ErrPermission) {
				t.Errorf("its cause is lost: %v", err)
			}
		case 7:
			refused(t, err, "cannot receive a mp_test.fussy", fmt.Sprintf("%d does not come in", i))
		default:
			expect(t, fussy{i})(v, err)
		}
	}
	_, err := mp.Map[fussy](watchdog(t), p, toFussy, upTo(10))
	refused(t, err, "mp: task ", "does not")
	if n := strings.Count(err.Error(), "mp: "); n != 1 {
		t.Errorf("the package is named %d times: %v", n, err)
	}
	expectMap(t, p)
}

func TestResultsAfterOneThatDoesNotTravel(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(3))
	n := 0
	for v, err := range mp.Stream[fussy](watchdog(t), p, toFussy, first(200)) {
		if bad := n%10 == 3 || n%10 == 7; bad != (err != nil) || !bad && v.N != n {
			t.Errorf("result %d is %v, %v", n, v, err)
		}
		n++
	}
	if n != 200 {
		t.Errorf("%d results", n)
	}
}

func TestArgumentThatDoesNotTravel(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(3))
	for i := range 30 {
		v, err := mp.Submit[int](watchdog(t), p, fromFussy, fussy{i}).Result(watchdog(t))
		switch i % 10 {
		case 3:
			refused(t, err, "argument of ", "mp_test.fromFussy", fmt.Sprintf("%d does not go out", i))
		case 7:
			refused(t, err, "argument of ", "mp_test.fromFussy", fmt.Sprintf("%d does not come in", i))
		default:
			expect(t, i)(v, err)
		}
	}
	_, err := mp.Start(watchdog(t), mp.Processes, func(fussy) {}, fussy{3})
	refused(t, err, "3 does not go out")
	call, err := mp.Go[fussy](watchdog(t), mp.Processes, toFussy, 7)
	if err != nil {
		t.Fatal(err)
	}
	_, err = call.Result(watchdog(t))
	refused(t, err, "7 does not come in")
}

func TestEncodingPanics(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(3))
	for n, text := range map[int]string{1000: "no way out", 255: "no way in"} {
		_, err := mp.Submit[fussy](watchdog(t), p, toFussy, n).Result(watchdog(t))
		refused(t, err, text)
		_, err = mp.Submit[int](watchdog(t), p, fromFussy, fussy{n}).Result(watchdog(t))
		refused(t, err, text)
		q := made(mp.NewQueue[fussy](mp.Processes, 0))
		if err = q.Put(watchdog(t), fussy{n}); err == nil {
			_, err = q.Get(watchdog(t))
		}
		refused(t, err, text)
	}
	expectMap(t, p)
}

type held struct {
	Lock  *mp.Mutex
	Ready *mp.Value[int]
}

func dieWhenOthersWait(h held) {
	h.Lock.Lock()
	for mp.Add(h.Ready, 0) < parties {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(5 * time.Millisecond) // until the others sleep
	syscallKill()
}

func takeOnce(h held) error {
	mp.Add(h.Ready, 1)
	h.Lock.Lock()
	defer h.Lock.Unlock()
	return nil
}

// TestLockOfADeadOwnerGoesToThoseWhoWait checks that a waiter gets a lock whose owner
// is killed. (Python's locks stay locked.)
func TestLockOfADeadOwnerGoesToThoseWhoWait(t *testing.T) {
	h := held{made(mp.NewMutex(mp.Processes)), made(mp.NewValue(mp.Processes, 0))}
	owner := made(mp.Start(watchdog(t), mp.Processes, dieWhenOthersWait, h))
	for h.Lock.TryLock() {
		h.Lock.Unlock()
		time.Sleep(time.Millisecond)
	}
	team(t, mp.Processes, takeOnce, h)
	endsWith(t, owner, nil, "signal 9", -9)
	if n := h.Lock.Recovered(); n != 1 {
		t.Errorf("recovered %d times", n)
	}
}

func longText(n int) string { return strings.Repeat("x", n) }

// TestLargeResultsAreJoinedAtOnce checks that large results of children that end at
// once are not lost and cause no deadlock.
func TestLargeResultsAreJoinedAtOnce(t *testing.T) {
	const size = 8 << 20
	var calls []*mp.Call[string]
	for range parties {
		calls = append(calls, made(mp.Go[string](watchdog(t), mp.Processes, longText, size)))
	}
	for _, c := range calls {
		if err := c.Join(watchdog(t)); err != nil {
			t.Error(err)
		}
		if s, err := c.Result(watchdog(t)); err != nil || len(s) != size {
			t.Errorf("%d bytes, %v", len(s), err)
		}
	}
}

func TestCanceledMapLeavesNothingBehind(t *testing.T) {
	p := newPool(t, mp.Processes, mp.Workers(3), mp.Grace(time.Hour))
	for range 20 {
		ctx, cancel := context.WithTimeout(watchdog(t), 3*time.Millisecond)
		_, err := mp.Map[int](ctx, p, patient, upTo(1000))
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	}
	expectMap(t, p)
	if s := p.Stats(); s.Restarts != 0 {
		t.Errorf("%d workers had to be killed", s.Restarts)
	}
}
