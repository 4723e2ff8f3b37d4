// Schedule is a program whose timeline is known: see schedule_test.go, which finds lines
// by their comments.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

const unit = 20 * time.Millisecond

func work(b mp.Backend) error {
	if err := goroutines(); err != nil {
		return err
	}
	if err := objects(b); err != nil {
		return err
	}
	return pool(b)
}

// goroutines has one goroutine wait for a value, and another for a sync.Mutex.
func goroutines() error {
	values := make(chan int)
	var wait sync.WaitGroup
	wait.Go(func() { receiver(values) })
	untilBlocked("main.receiver(")
	time.Sleep(unit)
	values <- 1
	wait.Wait()
	var mu sync.Mutex
	mu.Lock()
	wait.Go(func() { locker(&mu) }) // start the locker
	untilBlocked("main.locker(")
	time.Sleep(unit)
	mu.Unlock()
	wait.Wait()
	return nil
}

func receiver(values chan int) {
	<-values // receive
}

func locker(mu *sync.Mutex) {
	mu.Lock() // lock a sync.Mutex
	defer mu.Unlock()
}

// A job has the objects that functions in goroutines or children share.
type job struct {
	Lock    *mp.Mutex
	Read    *mp.RWMutex
	Waiting *mp.Event // a function waits for a lock or for room
	Queue   *mp.Queue[int]
	Small   *mp.Queue[int] // for one value
	Conn    *mp.Conn[int]
}

func newJob(b mp.Backend) (j job, other *mp.Conn[int], err error) {
	errs := make([]error, 6)
	j.Lock, errs[0] = mp.NewMutex(b)
	j.Read, errs[1] = mp.NewRWMutex(b)
	j.Waiting, errs[2] = mp.NewEvent(b)
	j.Queue, errs[3] = mp.NewQueue[int](b, 0)
	j.Small, errs[4] = mp.NewQueue[int](b, 1)
	j.Conn, other, errs[5] = mp.NewPipe[int](b)
	return j, other, errors.Join(errs...)
}

// take waits for the lock, which hold has, then sends values.
func take(ctx context.Context, j job) (int, error) {
	go report("(*Mutex).Lock", j)
	j.Lock.Lock() // take the lock
	time.Sleep(unit)
	j.Lock.Unlock()
	err := errors.Join(j.Queue.Put(ctx, 42), j.Small.Put(ctx, 1))
	go report("(*Queue[...]).Put", j)
	second := j.Small.Put(ctx, 2) // wait for room
	return 7, errors.Join(err, second, j.Conn.Send(ctx, 43))
}

// read waits for the lock, which hold has to write.
func read(j job) int {
	go report("(*RWMutex).RLock", j)
	j.Read.RLock() // take the lock to read
	time.Sleep(unit)
	j.Read.RUnlock()
	return 8
}

// report reports that a function is blocked.
func report(function string, j job) {
	untilBlocked(function)
	j.Waiting.Set()
}

// hold keeps a lock until another goroutine or process waits for it, and for two units of
// time after that.
func hold(lock sync.Locker, waiting *mp.Event, ready chan<- bool) {
	lock.Lock()
	close(ready)
	if err := waiting.Wait(context.Background()); err != nil {
		panic(err)
	}
	waiting.Clear()
	time.Sleep(2 * unit)
	lock.Unlock()
}

// objects has functions wait for locks that this goroutine's helpers hold, and receives
// values.
func objects(b mp.Backend) error {
	j, conn, err := newJob(b)
	if err != nil {
		return err
	}
	ctx := context.Background()
	ready := make(chan bool)
	go hold(j.Lock, j.Waiting, ready)
	<-ready
	taker, err := mp.Go[int](ctx, b, take, j)
	if err != nil {
		return err
	}
	first, err := j.Queue.Get(ctx) // get the first value
	if err != nil {
		return err
	}
	if err := j.Waiting.Wait(ctx); err != nil {
		return err
	}
	j.Waiting.Clear()
	time.Sleep(unit)
	second, err2 := j.Small.Get(ctx)
	third, err3 := j.Small.Get(ctx)
	fourth, err4 := conn.Recv(ctx)
	n, err5 := taker.Result(ctx)
	if err := errors.Join(err2, err3, err4, err5); err != nil {
		return err
	}
	if got, want := [5]int{first, second, third, fourth, n}, [5]int{42, 1, 2, 43, 7}; got != want {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	return readers(b, j)
}

func readers(b mp.Backend, j job) error {
	ready := make(chan bool)
	go hold(j.Read, j.Waiting, ready)
	<-ready
	reader, err := mp.Go[int](context.Background(), b, read, j)
	if err != nil {
		return err
	}
	if n, err := reader.Result(context.Background()); err != nil || n != 8 {
		return fmt.Errorf("got %d, %v", n, err)
	}
	return nil
}

func square(x int) int {
	time.Sleep(unit / 4)
	return x * x
}

func pool(b mp.Backend) error {
	p, err := mp.NewPool(b, mp.Workers(2))
	if err != nil {
		return err
	}
	defer p.Close()
	ctx := context.Background()
	if _, err = mp.Map[int](ctx, p, square, []int{0, 1, 2, 3, 4, 5, 6, 7}); err != nil {
		return err
	}
	_, err = mp.Submit[int](ctx, p, double, 8).Result(ctx)
	return err
}

func double(x int) int {
	time.Sleep(unit)
	return 2 * x
}

// die is killed while it is traced.
func die(int) int {
	time.Sleep(unit)
	self, _ := os.FindProcess(os.Getpid())
	_ = self.Kill()
	select {}
}

func killed() error {
	child, err := mp.Go[int](context.Background(), mp.Processes, die, 0)
	if err != nil {
		return err
	}
	if _, err = child.Result(context.Background()); err == nil {
		return errors.New("the child lives")
	}
	return nil
}

func main() {
	mp.Init()
	var f func() error
	switch os.Args[2] {
	case "processes":
		f = func() error { return work(mp.Processes) }
	case "goroutines":
		f = func() error { return work(mp.Goroutines) }
	case "killed":
		f = killed
	}
	if err := mp.Trace(os.Args[1], f); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
