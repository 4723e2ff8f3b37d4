package mp_test

import (
	"context"
	"fmt"

	"github.com/perijove/perijove/lib/mp"
)

// A race has the objects that its runners share.
type race struct {
	Start  *mp.Event
	Passed *mp.Counter
}

// Run waits for the start of the race, and then counts.
func Run(ctx context.Context, r race) error {
	if err := r.Start.Wait(ctx); err != nil {
		return err
	}
	for range 1000 {
		r.Passed.Add(1)
	}
	return nil
}

// An Event starts all goroutines or processes that wait for it. Many can add to a
// Counter at once.
func ExampleEvent() {
	ctx := context.Background()
	start, err := mp.NewEvent(mp.Processes)
	if err != nil {
		fmt.Println(err)
		return
	}
	passed, err := mp.NewCounter(mp.Processes)
	if err != nil {
		fmt.Println(err)
		return
	}
	var runners []*mp.Process
	for range 3 {
		p, err := mp.Start(ctx, mp.Processes, Run, race{start, passed})
		if err != nil {
			fmt.Println(err)
			return
		}
		runners = append(runners, p)
	}
	fmt.Println(passed.Load())
	start.Set()
	for _, p := range runners {
		if err := p.Join(ctx); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(passed.Load())
	// Output:
	// 0
	// 3000
}

// A part is a range of elements of an Array.
type part struct {
	Temperatures *mp.Array[float64]
	From, To     int
}

// ToCelsius converts the elements of its part in place.
func ToCelsius(p part) {
	for i, f := range p.Temperatures.Slice()[p.From:p.To] {
		p.Temperatures.Slice()[p.From+i] = (f - 32) / 1.8
	}
}

// An Array is not copied, however large it is: workers change it in place.
func ExampleArray() {
	temperatures, err := mp.NewArray[float64](mp.Processes, 6)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range temperatures.Slice() {
		temperatures.Slice()[i] = 32 + 18*float64(i)
	}
	pool, err := mp.NewPool(mp.Processes, mp.Workers(3))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	var parts []part
	for _, p := range temperatures.Parts(3) {
		parts = append(parts, part{temperatures, p[0], p[1]})
	}
	fmt.Println(mp.ForEach(context.Background(), pool, ToCelsius, parts))
	fmt.Println(temperatures.Slice())
	// Output:
	// <nil>
	// [0 10 20 30 40 50]
}
