package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/perijove/perijove/lib/mp"
)

// count does the same work each time, about 0.1 ms.
func count(n int) int {
	for i := range 200_000 {
		n ^= i * n
	}
	return n
}

// tasksPerRound is how many tasks a measurement has, so that it takes some 100 ms.
const tasksPerRound = 1000

// recordings measures the tasks of pools with and without a recording.
func recordings(w io.Writer, folder string, rounds int) error {
	for _, b := range []mp.Backend{mp.Goroutines, mp.Processes} {
		var with, without []float64
		for range rounds {
			plain, err := processorTime(func() error { return work(b) })
			if err != nil {
				return err
			}
			traced, err := processorTime(func() error { return mp.Trace(folder, func() error { return work(b) }) })
			if err != nil {
				return err
			}
			with, without = append(with, traced), append(without, plain)
		}
		perTask := time.Duration(median(without) / tasksPerRound * float64(time.Second))
		report(w, fmt.Sprintf("tasks of %v with a recording, %v", perTask.Round(time.Microsecond), b), with, without)
	}
	return os.RemoveAll(folder)
}

func work(b mp.Backend) error {
	pool, err := mp.NewPool(b, mp.Workers(2))
	if err != nil {
		return err
	}
	_, err = mp.Map[int](context.Background(), pool, count, make([]int, tasksPerRound))
	return errors.Join(err, pool.Close())
}
