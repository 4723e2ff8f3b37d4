package execprofile_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/perijove/perijove/lib/execprofile"
	"github.com/perijove/perijove/lib/mp"
)

func TestMain(m *testing.M) {
	mp.Init()
	os.Exit(m.Run())
}

//go:noinline
func hot(n int) (x int) {
	for i := range n {
		x += i*i ^ x
	}
	return x
}

//go:noinline
func cold(n int) (x int) {
	for i := range n {
		x += i*i ^ x
	}
	return x
}

// used returns the processor time of this process, which other programs hardly affect.
func used() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano())
}

// rounds works for a processor time, three quarters of it in hot.
func rounds(least time.Duration) (x int) {
	for begin := used(); used()-begin < least; {
		x += hot(150_000_000) + cold(50_000_000)
	}
	return x
}

var kept int

func die(int) int {
	kept = hot(1_000_000)
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		panic(err)
	}
	select {}
}

// nested works in a child of a child.
func nested(ctx context.Context, least time.Duration) (int, error) {
	f, err := mp.Go[int](ctx, mp.Processes, rounds, least)
	if err != nil {
		return 0, err
	}
	return f.Result(ctx)
}

// share returns the share of the samples of a process, or of all, whose innermost call is hot among those whose innermost call is hot or cold.
func share(r *execprofile.Recording, process string) (hotShare float64, samples int64) {
	var sums [2]int64
	for _, s := range r.Profile.Sample {
		if len(s.Location) == 0 || process != "" && s.Label[execprofile.Label][0] != process {
			continue
		}
		switch name := s.Location[0].Line[0].Function.Name; {
		case strings.HasSuffix(name, ".hot"):
			sums[0] += s.Value[0]
		case strings.HasSuffix(name, ".cold"):
			sums[1] += s.Value[0]
		}
	}
	return float64(sums[0]) / float64(sums[0]+sums[1]), sums[0] + sums[1]
}

// TestChildren checks the known share of a function in the workers of a pool, in a child, and in a child of a child, while another child is killed.
func TestChildren(t *testing.T) {
	ctx, folder := t.Context(), filepath.Join(t.TempDir(), "profile")
	pool, err := mp.NewPool(mp.Processes, mp.Workers(2)) // its workers run before the profile
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := mp.Map[int](ctx, pool, rounds, []time.Duration{0, 0}); err != nil {
		t.Fatal(err)
	}
	const least = 800 * time.Millisecond
	err = execprofile.Record(folder, "cpu", func() error {
		dead, err := mp.Go[int](ctx, mp.Processes, die, 0)
		if err != nil {
			return err
		}
		child, err := mp.Go[int](ctx, mp.Processes, nested, least)
		if err != nil {
			return err
		}
		if _, err := mp.Map[int](ctx, pool, rounds, []time.Duration{least, least, least}); err != nil {
			return err
		}
		if _, err := dead.Result(ctx); err == nil {
			t.Error("the child that kills itself has a result")
		}
		_, err = child.Result(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := execprofile.Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(r.Processes); n < 5 || n > 6 || !r.Processes[0].First || r.Kind != "cpu" {
		t.Errorf("the recording is of kind %s and has the processes %+v; want 6, or 5 if one worker of the pool has done all its tasks", r.Kind, r.Processes)
	}
	lost, worked := 0, 0
	for _, p := range r.Processes {
		if p.Problem != "" {
			lost++
			continue
		}
		if _, n := share(r, p.Name()); n > 0 {
			worked++
		}
	}
	if got, n := share(r, ""); math.Abs(got-0.75) > 0.05 || n < 200 {
		t.Errorf("hot has %.3f of %d samples", got, n)
	}
	if lost != 1 || worked < 2 {
		t.Errorf("%d processes are lost and %d have samples: %+v", lost, worked, r.Processes)
	}
}

func allocate(n int) int {
	kept := make([][]byte, n)
	for i := range kept {
		kept[i] = make([]byte, 1<<20)
	}
	return len(kept)
}

// TestCounts checks that a memory profile has the allocations that the workers of a pool made during the profile, also
// if a second profile uses the same folder.
func TestCounts(t *testing.T) {
	ctx, folder := t.Context(), t.TempDir()
	pool, err := mp.NewPool(mp.Processes, mp.Workers(2))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := mp.Map[int](ctx, pool, allocate, []int{64, 64, 64}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := execprofile.Record(folder, "mem", func() error {
			_, err := mp.Map[int](ctx, pool, allocate, []int{32, 32})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		r, err := execprofile.Read(folder)
		if err != nil {
			t.Fatal(err)
		}
		sum := int64(0)
		for _, s := range r.Profile.Sample {
			if strings.HasSuffix(s.Location[0].Line[0].Function.Name, ".allocate") {
				sum += s.Value[1]
			}
		}
		if sum < 40<<20 || sum > 90<<20 {
			t.Errorf("allocate has %d MiB, want about 64", sum>>20)
		}
	}
}

// TestRefused checks the errors of Record, which then does not call the function, and of Read.
func TestRefused(t *testing.T) {
	never := func() error {
		t.Error("the function is called")
		return nil
	}
	if err := execprofile.Record(t.TempDir(), "speed", never); err == nil || !strings.Contains(err.Error(), "use one of cpu, mem, block, mutex, goroutine") {
		t.Errorf("an unknown kind: %v", err)
	}
	folder, failed := t.TempDir(), errors.New("failed")
	err := execprofile.Record(folder, "goroutine", func() error {
		if err := execprofile.Record(folder, "goroutine", never); err == nil || !strings.Contains(err.Error(), "already being profiled") {
			t.Errorf("a profile within another: %v", err)
		}
		return failed
	})
	if err != failed {
		t.Errorf("the error is %v", err)
	}
	r, err := execprofile.Read(folder)
	if err != nil || len(r.Processes) != 1 || len(r.Profile.Sample) == 0 {
		t.Errorf("the profile of goroutines: %+v, %v", r, err)
	}
	if _, err := execprofile.Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "has no profile") {
		t.Errorf("a folder without a profile: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := execprofile.Record(file, "cpu", never); err == nil {
		t.Error("a file is used as a folder")
	}
}
