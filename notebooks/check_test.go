package notebooks

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var accessLine = regexp.MustCompile(`^(Main|Thread|Process)-(\d+) (thinks X is|sets X to) (\d+)$`)

// checkSharedX checks the output of the experiment. The goroutine runs in main's process
// and sees X change, beginning with start. The child process is another process and
// sees the value inProcess three times. The number of changes that the goroutine sees
// depends on the machine.
func checkSharedX(printed string, start, inProcess int) error {
	values := map[string][]int{}
	pids := map[string]string{}
	for line := range strings.Lines(printed) {
		m := accessLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			return fmt.Errorf("unexpected line %q", line)
		}
		who, pid := m[1], m[2]
		if pids[who] != "" && pids[who] != pid {
			return fmt.Errorf("%s moved from process %s to %s", who, pids[who], pid)
		}
		pids[who] = pid
		x, err := strconv.Atoi(m[4])
		if err != nil {
			return err
		}
		values[who] = append(values[who], x)
	}
	thread := values["Thread"]
	switch {
	case !slices.Equal(values["Main"], []int{start + 1, start + 2, start + 3}):
		return fmt.Errorf("main set X to %v", values["Main"])
	case !slices.Equal(values["Process"], []int{inProcess, inProcess, inProcess}):
		return fmt.Errorf("the process thinks X is %v", values["Process"])
	case len(thread) != 3 || !slices.IsSorted(thread) || thread[0] >= thread[2] || thread[0] < start || thread[2] > start+3:
		return fmt.Errorf("the goroutine thinks X is %v", thread)
	case pids["Thread"] != pids["Main"]:
		return errors.New("the goroutine is in another process than main")
	case pids["Process"] == pids["Main"]:
		return errors.New("the child process is main's")
	}
	return nil
}

var (
	tableRow  = regexp.MustCompile(`(?s)<tr>(.*?)</tr>`)
	tableCell = regexp.MustCompile(`(?s)<t[hd](?:\s[^>]*)?>(.*?)</t[hd]>`)
)

// checkTable compares the first column of an HTML table with worker counts.
func checkTable(html string, workers []int) error {
	want := []string{"workers"}
	for _, n := range workers {
		want = append(want, strconv.Itoa(n))
	}
	var got []string
	head, body, ok := strings.Cut(html, "<tbody>")
	if !ok {
		return errors.New("no table body")
	}
	if c := tableCell.FindStringSubmatch(head); c != nil {
		got = append(got, c[1])
	}
	for _, row := range tableRow.FindAllStringSubmatch(body, -1) {
		if c := tableCell.FindStringSubmatch(row[1]); c != nil {
			got = append(got, c[1])
		}
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("first column is %q, want %q", got, want)
	}
	return nil
}

// speedupPoint matches a large circle, a measured speedup. The smaller circles are
// efficiencies.
var speedupPoint = regexp.MustCompile(`<path d="M[^"A]*A3\.4,[^"]*Z"`)

// checkChart checks that an SVG document is complete and has the given number of
// speedup points.
func checkChart(svg string, points int) error {
	dec := xml.NewDecoder(strings.NewReader(svg))
	var root *xml.StartElement
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("not well-formed: %w", err)
		}
		if start, ok := tok.(xml.StartElement); ok && root == nil {
			c := start.Copy()
			root = &c
		}
	}
	if root == nil || root.Name != (xml.Name{Space: "http://www.w3.org/2000/svg", Local: "svg"}) {
		return fmt.Errorf("the root is not an svg element with its namespace: %v", root)
	}
	for _, name := range []string{"width", "height", "viewBox"} {
		if !slices.ContainsFunc(root.Attr, func(a xml.Attr) bool { return a.Name.Local == name && a.Value != "" }) {
			return fmt.Errorf("the picture has no %s", name)
		}
	}
	if got := len(speedupPoint.FindAllString(svg, -1)); got != points {
		return fmt.Errorf("the picture has %d points, want %d", got, points)
	}
	return nil
}

const goodAccess = `Thread-70572 thinks X is 0
Main-70572 sets X to 1
Process-70575 thinks X is 0
Thread-70572 thinks X is 1
Process-70575 thinks X is 0
Main-70572 sets X to 2
Process-70575 thinks X is 0
Thread-70572 thinks X is 2
Main-70572 sets X to 3
`

func TestCheckSharedX(t *testing.T) {
	if err := checkSharedX(goodAccess, 0, 0); err != nil {
		t.Errorf("the experiment as it should be: %v", err)
	}
	for name, bad := range map[string]string{
		"nothing":                 "",
		"another line":            goodAccess + "panic\n",
		"process sees X":          strings.Replace(goodAccess, "Process-70575 thinks X is 0", "Process-70575 thinks X is 1", 1),
		"goroutine does not":      strings.NewReplacer("Thread-70572 thinks X is 1", "Thread-70572 thinks X is 0", "Thread-70572 thinks X is 2", "Thread-70572 thinks X is 0").Replace(goodAccess),
		"goroutine elsewhere":     strings.ReplaceAll(goodAccess, "Thread-70572", "Thread-1"),
		"process is main":         strings.ReplaceAll(goodAccess, "Process-70575", "Process-70572"),
		"goroutine moves":         strings.Replace(goodAccess, "Thread-70572", "Thread-1", 1),
		"main stops early":        strings.Replace(goodAccess, "Main-70572 sets X to 3\n", "", 1),
		"process looks too often": goodAccess + "Process-70575 thinks X is 0\n",
	} {
		if checkSharedX(bad, 0, 0) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestCheckTable(t *testing.T) {
	table := `<table><thead><tr><th rowspan="2">workers</th><th>x</th></tr><tr><th>time</th></tr></thead>
<tbody><tr><td>1</td><td>2 s</td></tr><tr><td>4</td><td>1 s</td></tr></tbody></table>`
	if err := checkTable(table, []int{1, 4}); err != nil {
		t.Error(err)
	}
	if checkTable(table, []int{1, 2, 4}) == nil || checkTable("", nil) == nil {
		t.Error("a wrong table was accepted")
	}
}

func TestCheckChart(t *testing.T) {
	point := `<path d="M3.4,0A3.4,3.4 0 1 1 -3,0A3.4,3.4 0 1 1 3.4,0Z"/>`
	good := `<svg xmlns="http://www.w3.org/2000/svg" width="1pt" height="1pt" viewBox="0 0 1 1">` + point + point + `</svg>`
	if err := checkChart(good, 2); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]string{
		"fewer points": strings.Replace(good, point, "", 1),
		"cut":          good[:len(good)-3],
		"no namespace": strings.Replace(good, "xmlns=", "x=", 1),
		"no size":      strings.Replace(good, "height=", "h=", 1),
		"empty":        "",
	} {
		if checkChart(bad, 2) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
