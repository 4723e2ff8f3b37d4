package mp_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

var stressTurns = flag.Int("mp.turns", 20, "how many children TestKilledAtAnyMoment kills, and how many rounds TestManyRoundsOfEverything makes")

// A plant has the objects that the processes of a stress test share.
type plant struct {
	Me     int
	Lock   *mp.Mutex
	RLock  *mp.ReentrantMutex
	Cond   *mp.Cond
	Gate   *mp.Barrier
	Few    *mp.Semaphore
	Queue  *mp.Queue[item]
	Tight  *mp.Queue[[]byte]
	Number *mp.Value[triple]
	Stop   *mp.Event
	Tally  *mp.Array[int] // its indexes are the constants below
}

// Indexes in Tally: two numbers that Lock protects, then other counts, and the start of
// the parties' counts.
const (
	tallyFirst = iota
	tallySecond
	tallyInside
	tallyTurn
	tallyNested
	tallyOwn = 8
)

// Offsets of a party's counts.
const (
	ownLocked = iota
	ownPut
	ownGot
	ownKinds
)

func newPlant(parties int) plant {
	b := mp.Processes
	return plant{
		Lock: made(mp.NewMutex(b)), RLock: made(mp.NewReentrantMutex(b)), Cond: made(mp.NewCond(b)),
		Gate: made(mp.NewBarrier(b, parties)), Few: made(mp.NewSemaphore(b, 2)),
		Queue: made(mp.NewQueue[item](b, 0)), Tight: made(mp.NewQueue[[]byte](b, 3)),
		Number: made(mp.NewValue(b, triple{})), Stop: made(mp.NewEvent(b)),
		Tally: made(mp.NewArray[int](b, tallyOwn+parties*ownKinds)),
	}
}

func (p plant) own(party, kind int) *int { return &p.Tally.Slice()[tallyOwn+party*ownKinds+kind] }

// churn uses all objects that work after the death of a user, until it is stopped or
// killed.
func churn(p plant) error {
	ctx := context.Background()
	seen := map[int]int{}
	for n := 0; !p.Stop.IsSet(); n++ {
		p.Lock.Lock()
		t := p.Tally.Slice()
		if d := t[tallyFirst] - t[tallySecond]; d == 1 && p.Lock.Recovered() > 0 {
			t[tallySecond]++ // completes the step of a process that died in between
		} else if d != 0 {
			return fmt.Errorf("two inside of a lock: %d and %d", t[tallyFirst], t[tallySecond])
		}
		t[tallyFirst]++
		t[tallySecond]++
		*p.own(p.Me, ownLocked)++
		p.Lock.Unlock()

		if err := p.Queue.Put(ctx, item{From: p.Me, N: *p.own(p.Me, ownPut), Text: "a value of some length"}); err != nil {
			return err
		}
		*p.own(p.Me, ownPut)++
		v, ok, err := p.Queue.TryGet()
		if err != nil {
			return err
		}
		if ok {
			if last, before := seen[v.From]; before && v.N < last {
				return fmt.Errorf("value %d of %d after %d", v.N, v.From, last)
			}
			seen[v.From] = v.N
			*p.own(p.Me, ownGot)++
		}
		if x := p.Number.Update(func(x triple) triple { return triple{x.A + 1, x.B + 1, x.C + 1} }); x.A != x.B || x.B != x.C {
			return fmt.Errorf("a torn value: %v", x)
		}
		p.RLock.Lock()
		p.RLock.Lock()
		t[tallyNested]++
		p.RLock.Unlock()
		p.RLock.Unlock()
	}
	return nil
}

// TestKilledAtAnyMoment kills children at random moments, also within the package's
// code. The shared objects must work on for the others, and each dead child may lose
// only its current step.
func TestKilledAtAnyMoment(t *testing.T) {
	p := newPlant(parties)
	procs := make([]*mp.Process, parties)
	begin := func(i int) {
		mine := p
		mine.Me = i
		procs[i] = made(mp.Start(t.Context(), mp.Processes, churn, mine))
	}
	for i := range procs {
		begin(i)
	}
	for range *stressTurns {
		time.Sleep(rand.N(4 * time.Millisecond))
		i := rand.N(parties)
		if err := procs[i].Kill(); err != nil {
			t.Fatal(procs[i].Join(watchdog(t)), err)
		}
		if e, ok := errors.AsType[*mp.ExitError](procs[i].Join(watchdog(t))); !ok || e.Signal == 0 {
			t.Fatal(procs[i].Join(watchdog(t)))
		}
		begin(i)
	}
	p.Stop.Set()
	for _, proc := range procs {
		endsWith(t, proc, nil, "", 0)
	}
	checkTally(t, p, *stressTurns)
}

func checkTally(t *testing.T, p plant, kills int) {
	t.Helper()
	if err := p.Lock.LockContext(watchdog(t)); err != nil {
		t.Fatal(err)
	}
	defer p.Lock.Unlock()
	var locked, put, got int
	for i := range parties {
		locked, put, got = locked+*p.own(i, ownLocked), put+*p.own(i, ownPut), got+*p.own(i, ownGot)
	}
	left := 0
	for ok := true; ok; left++ {
		var err error
		if _, ok, err = p.Queue.TryGet(); err != nil {
			t.Fatal(err)
		}
	}
	left--
	if n := p.Tally.Slice()[tallyFirst]; n < locked || n > locked+kills {
		t.Errorf("counted %d under the lock, %d by the parties, %d were killed", n, locked, kills)
	}
	if lost := put - got - left; lost < -kills || lost > kills {
		t.Errorf("%d values put, %d taken, %d left; %d were killed", put, got, left, kills)
	}
	t.Logf("%d turns, %d values put, %d taken, %d left; the lock was recovered %d times", locked, put, got, left, p.Lock.Recovered())
}

// goAround makes the parties wait for each other with each kind of object, again and again.
func goAround(p plant) error {
	ctx := context.Background()
	t := p.Tally.Slice()
	for n := range p.Tally.Len() * 10 {
		if _, err := p.Gate.Wait(ctx); err != nil {
			return err
		}
		if err := p.Few.Acquire(ctx); err != nil {
			return err
		}
		p.Lock.Lock()
		if t[tallyInside]++; t[tallyInside] > 2 {
			return fmt.Errorf("%d are inside where 2 may be", t[tallyInside])
		}
		p.Lock.Unlock()
		p.Lock.Lock()
		t[tallyInside]--
		p.Lock.Unlock()
		p.Few.Release()
		p.Cond.L.Lock()
		for t[tallyTurn] != n*parties+p.Me {
			if err := p.Cond.WaitContext(ctx); err != nil {
				return err
			}
		}
		t[tallyTurn]++
		p.Cond.L.Unlock()
		p.Cond.Broadcast()
		if err := p.Tight.Put(ctx, make([]byte, 100*n)); err != nil {
			return err
		}
		if b, err := p.Tight.Get(ctx); err != nil || len(b) > 100*(n+1) {
			return fmt.Errorf("%d bytes in round %d: %w", len(b), n, err)
		}
	}
	return nil
}

func TestManyRoundsOfEverything(t *testing.T) {
	for range max(1, *stressTurns/20) {
		p := newPlant(parties)
		var procs []*mp.Process
		for i := range parties {
			mine := p
			mine.Me = i
			procs = append(procs, made(mp.Start(t.Context(), mp.Processes, goAround, mine)))
		}
		for _, proc := range procs {
			endsWith(t, proc, nil, "", 0)
		}
		if n := p.Tight.Len(); n != 0 {
			t.Errorf("%d values are left", n)
		}
	}
}
