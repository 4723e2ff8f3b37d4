package mp_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// The examples run as tests of this package, whose TestMain calls mp.Init.

var X int

// ThinkX returns a text with the value of X in the process that runs it.
func ThinkX(who string) string { return fmt.Sprintf("%s thinks X is %d", who, X) }

// A goroutine sees the same variable X as main. A child process has a copy of X, with
// the initial value.
func Example_sharedX() {
	ctx := context.Background()
	X = 7
	defer func() { X = 0 }()
	for _, where := range []mp.Backend{mp.Goroutines, mp.Processes} {
		call, err := mp.Go[string](ctx, where, ThinkX, where.String())
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(call.Result(ctx))
	}
	// Output:
	// goroutines thinks X is 7 <nil>
	// processes thinks X is 0 <nil>
}

// Raise increments a shared number.
func Raise(n *mp.Value[int]) { mp.Add(n, 1) }

// A Value is one variable, shared by all processes that it is sent to.
func ExampleValue() {
	ctx := context.Background()
	n, err := mp.NewValue(mp.Processes, 40)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		p, err := mp.Start(ctx, mp.Processes, Raise, n)
		if err == nil {
			err = p.Join(ctx)
		}
		if err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(n.Load())
	// Output: 42
}

// Square returns x².
func Square(x int) int { return x * x }

// Independent tasks need two lines: NewPool and Map.
func ExampleMap() {
	pool, err := mp.NewPool(mp.Processes, mp.Workers(3))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	fmt.Println(mp.Map[int](context.Background(), pool, Square, []int{1, 2, 3}))
	// Output: [1 4 9] <nil>
}

func ExampleStream() {
	pool, err := mp.NewPool(mp.Processes, mp.Workers(3))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	for y, err := range mp.Stream[int](context.Background(), pool, Square, slices.Values([]int{1, 2, 3})) {
		fmt.Println(y, err)
	}
	// Output:
	// 1 <nil>
	// 4 <nil>
	// 9 <nil>
}

func ExampleSubmit() {
	ctx := context.Background()
	var pool mp.Pool // of goroutines
	future := mp.Submit[int](ctx, &pool, Square, 7)
	fmt.Println(future.Result(ctx))
	// Output: 49 <nil>
}

// A stage of a pipeline gets numbers from one queue and puts others into the next.
type stage struct{ In, Out *mp.Queue[int] }

// Double is a stage that doubles each number.
func Double(ctx context.Context, s stage) error {
	defer s.Out.Close()
	for x, err := range s.In.All(ctx) {
		if err == nil {
			err = s.Out.Put(ctx, 2*x)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Work that depends on the results of other work gets them from a Queue.
func ExampleQueue() {
	ctx := context.Background()
	in, err := mp.NewQueue[int](mp.Processes, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := mp.NewQueue[int](mp.Processes, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := mp.Start(ctx, mp.Processes, Double, stage{in, out})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 3 {
		if err := in.Put(ctx, i); err != nil {
			fmt.Println(err)
		}
	}
	in.Close()
	for y, err := range out.All(ctx) {
		fmt.Println(y, err)
	}
	fmt.Println(p.Join(ctx))
	// Output:
	// 0 <nil>
	// 2 <nil>
	// 4 <nil>
	// <nil>
}

// An Account is served to other processes, which call its methods. It stays in the
// process that serves it.
type Account struct{ owners map[string]int }

// Deposit adds to the balance of an owner and returns it.
func (a *Account) Deposit(owner string) (int, error) {
	a.owners[owner] += 10
	return a.owners[owner], nil
}

// Earn makes deposits; it runs in another process than the account.
func Earn(ctx context.Context, account *mp.Ref[Account]) (int, error) {
	if _, err := mp.Ask[int](ctx, account, (*Account).Deposit, "eve"); err != nil {
		return 0, err
	}
	return mp.Ask[int](ctx, account, (*Account).Deposit, "eve")
}

func ExampleServe() {
	ctx := context.Background()
	account, err := mp.Serve(&Account{owners: map[string]int{"eve": 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer account.Close()
	call, err := mp.Go[int](ctx, mp.Processes, Earn, account)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(call.Result(ctx))
	// Output: 21 <nil>
}

// DoubleAll doubles each element of xs in place.
func DoubleAll(xs []int) int {
	for i := range xs {
		xs[i] *= 2
	}
	return len(xs)
}

// A goroutine changes the caller's slice. A process changes its copy, which the caller
// never sees: return such data as the result. If the data are a package variable,
// package copycheck, an analyzer for go vet, finds the mistake.
func Example_silentCopy() {
	ctx := context.Background()
	for _, where := range []mp.Backend{mp.Goroutines, mp.Processes} {
		xs := []int{1, 2, 3}
		call, err := mp.Go[int](ctx, where, DoubleAll, xs)
		if err == nil {
			_, err = call.Result(ctx)
		}
		fmt.Println(where, xs, err)
	}
	// Output:
	// goroutines [2 4 6] <nil>
	// processes [1 2 3] <nil>
}

// A player has one end of a pipe, and an Event for the start of the game.
type player struct {
	Ball  *mp.Conn[int]
	Start *mp.Event
}

// Play sends back every number that it receives, plus one, until the other end is
// closed.
func Play(ctx context.Context, p player) error {
	if err := p.Start.Wait(ctx); err != nil {
		return err
	}
	for {
		ball, err := p.Ball.Recv(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := p.Ball.Send(ctx, ball+1); err != nil {
			return err
		}
	}
}

// Two goroutines or processes exchange messages through a pipe; an Event starts them
// together.
func ExampleNewPipe() {
	ctx := context.Background()
	start, err := mp.NewEvent(mp.Processes)
	if err != nil {
		fmt.Println(err)
		return
	}
	here, there, err := mp.NewPipe[int](mp.Processes)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := mp.Start(ctx, mp.Processes, Play, player{there, start})
	if err != nil {
		fmt.Println(err)
		return
	}
	start.Set()
	ball := 0
	for range 3 {
		if err := here.Send(ctx, ball); err != nil {
			fmt.Println(err)
		}
		if ball, err = here.Recv(ctx); err != nil {
			fmt.Println(err)
		}
	}
	here.Close()
	fmt.Println(ball, p.Join(ctx))
	// Output: 3 <nil>
}

// Chatter puts a number of messages into a queue.
func Chatter(ctx context.Context, q *mp.Queue[int]) error {
	defer q.Close()
	for i := range 1000 {
		if err := q.Put(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// This measures the mean time per message, from the first message, when the sender has
// started, to the last.
func Example_messageCost() {
	ctx := context.Background()
	for _, where := range []mp.Backend{mp.Goroutines, mp.Processes} {
		q, err := mp.NewQueue[int](where, 0)
		if err != nil {
			fmt.Println(err)
			return
		}
		if _, err := mp.Start(ctx, where, Chatter, q); err != nil {
			fmt.Println(err)
			return
		}
		var began time.Time
		messages := 0
		for _, err := range q.All(ctx) {
			if err != nil {
				fmt.Println(err)
			}
			if messages++; messages == 1 {
				began = time.Now()
			}
		}
		each := time.Since(began) / time.Duration(messages-1)
		fmt.Printf("%v: %d messages, and each took some time: %t\n", where, messages, each > 0)
	}
	// Output:
	// goroutines: 1000 messages, and each took some time: true
	// processes: 1000 messages, and each took some time: true
}
