package mp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

type item struct {
	From, N int
	Text    string
}

type production struct {
	Q     *mp.Queue[item]
	Next  *mp.Value[int]
	Turns int
}

func produce(p production) error {
	me := mp.Add(p.Next, 1)
	for i := range p.Turns {
		if err := p.Q.Put(context.Background(), item{me, i, strings.Repeat("x", i%100)}); err != nil {
			return err
		}
	}
	return nil
}

// TestQueueIsJoinedBeforeItIsDrained checks that a process can be joined before its
// values are taken from the queue. (In Python that can deadlock.)
func TestQueueIsJoinedBeforeItIsDrained(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := production{made(mp.NewQueue[item](b, 0)), made(mp.NewValue(b, 0)), 20_000}
		team(t, b, produce, p)
		if n := p.Q.Len(); n != parties*p.Turns {
			t.Errorf("%d values in the queue", n)
		}
		p.Q.Close()
		next := map[int]int{}
		for v, err := range p.Q.All(watchdog(t)) {
			if err != nil || v.N != next[v.From] || len(v.Text) != v.N%100 {
				t.Fatalf("got %+v, %v; want number %d", v, err, next[v.From])
			}
			next[v.From]++
		}
		if len(next) != parties {
			t.Errorf("values from %d producers", len(next))
		}
		if err := p.Q.Put(watchdog(t), item{}); !errors.Is(err, mp.ErrClosed) {
			t.Errorf("put into a closed queue: %v", err)
		}
	})
}

func TestBoundedQueue(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		p := production{made(mp.NewQueue[item](b, 3)), made(mp.NewValue(b, 0)), 500}
		go func() {
			team(t, b, produce, p)
			p.Q.Close()
		}()
		n := 0
		for _, err := range p.Q.All(watchdog(t)) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; p.Q.Len() > 3 {
				t.Errorf("%d values in a queue for 3", p.Q.Len())
			}
		}
		if n != parties*p.Turns {
			t.Errorf("%d values", n)
		}
	})
}

func TestQueueGivesUp(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		q := made(mp.NewQueue[int](b, 1))
		ctx, cancel := context.WithTimeout(watchdog(t), time.Millisecond)
		defer cancel()
		if _, err := q.Get(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("get: %v", err)
		}
		if _, ok, err := q.TryGet(); ok || err != nil {
			t.Errorf("try: %v, %v", ok, err)
		}
		if err := q.TryPut(1); err != nil {
			t.Error(err)
		}
		if err := q.TryPut(2); !errors.Is(err, mp.ErrFull) {
			t.Errorf("try to put: %v", err)
		}
		if err := q.Put(ctx, 2); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("put: %v", err)
		}
		expect(t, 1)(q.Get(watchdog(t)))
	})
}

type work struct {
	Todo *mp.JoinableQueue[int]
	Sum  *mp.Value[int]
}

func consume(w work) error {
	for n, err := range w.Todo.All(context.Background()) {
		if err != nil {
			return err
		}
		mp.Add(w.Sum, n)
		if err := w.Todo.TaskDone(); err != nil {
			return err
		}
	}
	return nil
}

func TestJoinableQueue(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		w := work{made(mp.NewJoinableQueue[int](b, 0)), made(mp.NewValue(b, 0))}
		for i := range 1000 {
			if err := w.Todo.Put(watchdog(t), i); err != nil {
				t.Fatal(err)
			}
		}
		done := make(chan struct{})
		go func() { defer close(done); team(t, b, consume, w) }()
		if err := w.Todo.Join(watchdog(t)); err != nil {
			t.Error(err)
		}
		if n := w.Sum.Load(); n != 999*1000/2 {
			t.Errorf("the sum is %d", n)
		}
		w.Todo.Close()
		<-done
		if err := w.Todo.TaskDone(); err == nil {
			t.Error("one TaskDone too many")
		}
	})
}

func TestQueueOfLargeValues(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		q := made(mp.NewQueue[[]byte](b, 0))
		p := made(mp.Start(watchdog(t), b, putLarge, q))
		endsWith(t, p, nil, "", 0)
		for i := range 20 {
			v, err := q.Get(watchdog(t))
			if err != nil || len(v) != 1<<20 || v[1<<20-1] != byte(i) {
				t.Fatalf("value %d: %d bytes, %v", i, len(v), err)
			}
		}
	})
}

func TestGetIntoUsesMemoryAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		q := made(mp.NewQueue[[]float64](b, 0))
		for _, v := range [][]float64{{1, 2, 3}, {4, 5}, nil, {}, make([]float64, 100_000), {6}} {
			if err := q.Put(watchdog(t), v); err != nil {
				t.Fatal(err)
			}
		}
		v := make([]float64, 3)
		memory := &v[0]
		for i, want := range []string{"[1 2 3]", "[4 5]", "[]", "[]"} {
			if err := q.GetInto(watchdog(t), &v); err != nil || fmt.Sprint(v) != want || (v == nil) != (i == 2) {
				t.Errorf("value %d is %v, %v; want %s", i, v, err, want)
			}
			if b == mp.Processes && i < 2 && &v[0] != memory {
				t.Errorf("value %d is in other memory", i)
			}
		}
		if err := q.GetInto(watchdog(t), &v); err != nil || len(v) != 100_000 || v[99_999] != 0 {
			t.Errorf("a large one: %d values, %v", len(v), err)
		}
		memory = &v[0]
		if err := q.GetInto(watchdog(t), &v); err != nil || len(v) != 1 || v[0] != 6 || (b == mp.Processes) != (&v[0] == memory) {
			t.Errorf("a small one after it: %v, %v", v, err)
		}
	})
}

func putLarge(q *mp.Queue[[]byte]) error {
	for i := range 20 {
		b := make([]byte, 1<<20)
		b[len(b)-1] = byte(i)
		if err := q.Put(context.Background(), b); err != nil {
			return err
		}
	}
	return nil
}

func TestQueueOfInterfaces(t *testing.T) {
	q := made(mp.NewQueue[any](mp.Processes, 0))
	if err := q.Put(watchdog(t), 3); err != nil {
		t.Error(err)
	}
	v, err := q.Get(watchdog(t))
	if v != 3 || err != nil {
		t.Errorf("got %v, %v", v, err)
	}
	expect(t, any(point{1, 2}))(point{1, 2}, q.Put(watchdog(t), point{1, 2}))
	expect(t, any(point{1, 2}))(q.Get(watchdog(t)))
}

func echo(c *mp.Conn[string]) error {
	for {
		s, err := c.Recv(context.Background())
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = c.Send(context.Background(), s+"!")
		}
		if err != nil {
			return err
		}
	}
}

func TestPipe(t *testing.T) {
	onBoth(t, func(t *testing.T, b mp.Backend) {
		mine, its, err := mp.NewPipe[string](b)
		if err != nil {
			t.Fatal(err)
		}
		p := made(mp.Start(watchdog(t), b, echo, its))
		for i := range 1000 {
			if err := mine.Send(watchdog(t), fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
			expect(t, fmt.Sprint(i)+"!")(mine.Recv(watchdog(t)))
		}
		mine.Close()
		endsWith(t, p, nil, "", 0)
	})
}

func sendAndDie(c *mp.Conn[string]) error {
	if err := c.Send(context.Background(), "last words"); err != nil {
		return err
	}
	syscallKill()
	return nil
}

func TestPipeEndsWithTheOtherProcess(t *testing.T) {
	mine, its, err := mp.NewPipe[string](mp.Processes)
	if err != nil {
		t.Fatal(err)
	}
	p := made(mp.Start(watchdog(t), mp.Processes, sendAndDie, its))
	expect(t, "last words")(mine.Recv(watchdog(t)))
	if _, err := mine.Recv(watchdog(t)); err != io.EOF {
		t.Errorf("got %v", err)
	}
	endsWith(t, p, nil, "signal 9", -9)
}
