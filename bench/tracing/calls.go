package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// program is the folder of the program that makes the calls, relative to the root of the
// repository.
const program = "bench/tracing/calls"

// calls measures calls of package mp without a recording, alternately in this version and
// in the version in the folder before.
func calls(w io.Writer, folder, before string, rounds, tries int) error {
	list, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("cannot find the root of the repository: start this program in a folder of the repository: %w", err)
	}
	here := strings.TrimSpace(string(list))
	programs := [2]string{filepath.Join(folder, "now"), filepath.Join(folder, "before")}
	for i, root := range []string{here, before} {
		if err := build(programs[i], here, root); err != nil {
			return err
		}
	}
	var names []string
	var times [2]map[string][]float64
	for range rounds {
		for i, name := range programs {
			if times[i] == nil {
				times[i] = map[string][]float64{}
			}
			if names, err = measure(name, tries, times[i]); err != nil {
				return err
			}
		}
	}
	for _, n := range names {
		now, then := slices.Min(times[0][n]), slices.Min(times[1][n])
		report(w, fmt.Sprintf("%s: fastest %.3g ns, before %.3g ns, %.3f times", n, now, then, now/then), times[0][n], times[1][n])
	}
	return nil
}

// build builds the program of the version in here with package mp of the version in root.
func build(name, here, root string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	replace := map[string]string{filepath.Join(root, program, "calls.go"): filepath.Join(here, program, "calls.go")}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	if err := os.WriteFile(name+".json", overlay, 0o600); err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-overlay", name+".json", "-o", name, "./"+program)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build the program %s in the version of the repository in %s: %w\n%s", program, root, err, out)
	}
	return nil
}

// measure runs the program once, adds its figures to times, and returns their names.
func measure(name string, tries int, times map[string][]float64) (names []string, err error) {
	cmd := exec.Command(name, fmt.Sprintf("-tries=%d", tries))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		n, number, _ := strings.Cut(lines.Text(), "\t")
		v, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return nil, fmt.Errorf("cannot read the time in the line %q that the program %s printed: %w", lines.Text(), program, err)
		}
		names = append(names, n)
		times[n] = append(times[n], v)
	}
	return names, nil
}
