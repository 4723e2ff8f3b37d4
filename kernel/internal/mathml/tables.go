package mathml

import (
	"fmt"
	"strings"
)

// alignedColumns is the column format of align: columns are aligned right and left in turn.
const alignedColumns = "aligned"

// An env describes an environment: the delimiters around its rows, and the alignment of its columns.
type env struct{ open, close, columns string }

var environments = map[string]env{
	"matrix": {"", "", "c"}, "pmatrix": {"(", ")", "c"}, "bmatrix": {"[", "]", "c"}, "Bmatrix": {"{", "}", "c"},
	"vmatrix": {"|", "|", "c"}, "Vmatrix": {"‖", "‖", "c"}, "smallmatrix": {"", "", "c"}, "array": {"", "", ""},
	"cases": {"{", "", "l"}, "aligned": {"", "", alignedColumns}, "align": {"", "", alignedColumns}, "align*": {"", "", alignedColumns},
	"split": {"", "", alignedColumns}, "alignedat": {"", "", alignedColumns}, "gathered": {"", "", "c"}, "gather": {"", "", "c"}, "gather*": {"", "", "c"},
	"equation": {"", "", "c"}, "equation*": {"", "", "c"}, "displaymath": {"", "", "c"}, "math": {"", "", "c"},
}

// environment parses \begin{name} … \end{name}.
func environment(p *parser, _ string) (string, error) {
	name, err := p.raw()
	if err != nil {
		return "", err
	}
	e, ok := environments[name]
	if !ok {
		return "", fmt.Errorf("the environment %s is not known to Perijove", name)
	}
	if name == "array" || name == "alignedat" {
		spec, err := p.raw()
		if err != nil {
			return "", err
		}
		if name == "array" {
			e.columns = strings.NewReplacer("|", "", " ", "", "@{}", "").Replace(spec)
			if e.columns == "" || strings.Trim(e.columns, "lcr") != "" {
				return "", fmt.Errorf("the columns %q of an array must be given by the letters l, c and r", spec)
			}
		}
	}
	rows, err := p.rows(func(t token) bool { return t.is(command, "end") })
	if err != nil {
		return "", err
	}
	p.next()
	if closing, err := p.raw(); err != nil || closing != name {
		return "", fmt.Errorf(`the environment %s is not closed by \end{%s}`, name, name)
	}
	if len(rows) == 1 && len(rows[0]) == 1 && e.open == "" {
		return rows[0][0], nil
	}
	return "<mrow>" + fence(e.open) + table(rows, e.columns) + fence(e.close) + "</mrow>", nil
}

// table returns rows as a table. columns has one letter, l, c or r, for each column; the
// last applies to all further columns. It may also be alignedColumns.
func table(rows [][]string, columns string) string {
	var b strings.Builder
	if columns == alignedColumns {
		b.WriteString(`<mtable displaystyle="true">`)
	} else {
		b.WriteString("<mtable>")
	}
	for _, row := range rows {
		b.WriteString("<mtr>")
		for i, cell := range row {
			b.WriteString(`<mtd style="` + columnStyle(columns, i) + `">` + cell + "</mtd>")
		}
		b.WriteString("</mtr>")
	}
	return b.String() + "</mtable>"
}

func columnStyle(columns string, i int) string {
	if columns == alignedColumns {
		if i%2 == 0 {
			return "text-align:right;padding-right:0"
		}
		return "text-align:left;padding-left:0"
	}
	switch columns[min(i, len(columns)-1)] {
	case 'l':
		return "text-align:left"
	case 'r':
		return "text-align:right"
	}
	return "text-align:center"
}

// substack parses the lines of \substack.
func substack(p *parser, _ string) (string, error) {
	if !p.accept(special, "{") {
		return "", fmt.Errorf(`the argument in braces of \substack is missing`)
	}
	rows, err := p.rows(func(t token) bool { return t.is(special, "}") })
	if err != nil {
		return "", err
	}
	p.next()
	return table(rows, "c"), nil
}
