package display

import (
	"fmt"
	"html"
	"reflect"
	"strings"
)

// The maximum numbers of rows and columns of a matrix that are shown. A note below tells its
// full size.
const (
	maxRows    = 60
	maxColumns = 20
)

// A matrix is shown as a table of its elements. The matrices of
// gonum.org/v1/gonum/mat implement it.
type matrix interface {
	Dims() (rows, columns int)
	At(row, column int) float64
}

// matrixOf returns v as a matrix. It also accepts a struct whose pointer type is a
// matrix, such as mat.Dense.
func matrixOf(v any) (matrix, bool) {
	if m, ok := v.(matrix); ok {
		return m, true
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Struct || !reflect.PointerTo(rv.Type()).Implements(reflect.TypeFor[matrix]()) {
		return nil, false
	}
	p := reflect.New(rv.Type())
	p.Elem().Set(rv)
	return p.Interface().(matrix), true
}

func (r *renderer) matrix(m matrix) {
	rows, columns := m.Dims()
	entries := make([][]string, min(rows, maxRows))
	for i := range entries {
		entries[i] = make([]string, min(columns, maxColumns))
		for j := range entries[i] {
			entries[i][j] = fmt.Sprintf("%.6g", m.At(i, j))
		}
	}
	note := fmt.Sprintf("%d × %d", rows, columns)
	if rows > maxRows || columns > maxColumns {
		note = fmt.Sprintf("The first %d × %d of %s.", min(rows, maxRows), min(columns, maxColumns), note)
	}
	r.data["text/plain"] = aligned(entries) + note
	r.data["text/html"] = writeTable(entries) + "\n<p>" + note + "</p>"
}

// aligned writes rows in columns of equal width.
func aligned(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for j, c := range row {
			if j == len(widths) {
				widths = append(widths, 0)
			}
			widths[j] = max(widths[j], len(c))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		b.WriteByte('[')
		for j, c := range row {
			fmt.Fprintf(&b, "%s%*s", strings.Repeat(" ", min(j, 1)*2), widths[j], c)
		}
		b.WriteString("]\n")
	}
	return b.String()
}

// writeTable writes rows of numbers as an HTML table.
func writeTable(rows [][]string) string {
	var b strings.Builder
	b.WriteString("<table>\n<tbody>\n")
	for _, row := range rows {
		b.WriteString("<tr>")
		for _, text := range row {
			fmt.Fprintf(&b, `<td style="text-align:right">%s</td>`, html.EscapeString(text))
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table>")
	return b.String()
}
