// Schedule is a program whose timeline is known: see schedule_test.go.
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

// hold keeps a lock for two units, and says so.
func hold(l *mp.Mutex, ready chan<- bool) {
	l.Lock()
	if ready != nil {
		close(ready)
	}
	time.Sleep(2 * unit)
	l.Unlock()
}

// A job has what a child needs.
type job struct {
	Lock  *mp.Mutex
	Queue *mp.Queue[int]
}

// take waits for the lock, which main holds, then sends a value.
func take(ctx context.Context, j job) (int, error) {
	j.Lock.Lock()
	time.Sleep(unit)
	j.Lock.Unlock()
	return 7, j.Queue.Put(ctx, 42)
}

func square(x int) int {
	time.Sleep(unit / 4)
	return x * x
}

func work() error {
	if err := goroutines(); err != nil {
		return err
	}
	if err := processes(); err != nil {
		return err
	}
	return pool()
}

// goroutines has one goroutine wait for a value, and another for a sync.Mutex.
func goroutines() error {
	values := make(chan int)
	var wait sync.WaitGroup
	wait.Go(func() { receiver(values) })
	time.Sleep(unit)
	values <- 1
	wait.Wait()
	var mu sync.Mutex
	mu.Lock()
	wait.Go(func() { locker(&mu) })
	time.Sleep(unit)
	mu.Unlock()
	wait.Wait()
	return nil
}

func receiver(values chan int) { <-values }

func locker(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
}

// processes has a child wait for a lock that this process holds.
func processes() error {
	lock, err := mp.NewMutex(mp.Processes)
	if err != nil {
		return err
	}
	queue, err := mp.NewQueue[int](mp.Processes, 0)
	if err != nil {
		return err
	}
	ready := make(chan bool)
	go hold(lock, ready)
	<-ready
	child, err := mp.Go[int](context.Background(), mp.Processes, take, job{lock, queue})
	if err != nil {
		return err
	}
	got, err := queue.Get(context.Background())
	if err != nil {
		return err
	}
	n, err := child.Result(context.Background())
	if err != nil || got != 42 || n != 7 {
		return fmt.Errorf("got %d, %d, %v", got, n, err)
	}
	return nil
}

func pool() error {
	p, err := mp.NewPool(mp.Processes, mp.Workers(2))
	if err != nil {
		return err
	}
	defer p.Close()
	_, err = mp.Map[int](context.Background(), p, square, []int{0, 1, 2, 3, 4, 5, 6, 7})
	return err
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
	f := work
	if len(os.Args) > 2 && os.Args[2] == "killed" {
		f = killed
	}
	if err := mp.Trace(os.Args[1], f); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
