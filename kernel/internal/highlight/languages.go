package highlight

import (
	"strings"
	"sync"
)

// A syntax describes the tokens of a language.
type syntax struct {
	line        []string // beginnings of comments that end with the line
	block       []block
	quotes      []quote           // longer marks first
	letters     string            // characters of words besides letters, digits and _
	words       map[string]string // classes of words
	ignoresCase bool
	calls       bool           // a word before a parenthesis is a function
	keys        bool           // a string or word before a colon is a key
	scan        func(*scanner) // replaces all of the above
}

// A block has the marks at the beginning and the end of a comment that may have several lines.
type block struct{ begin, end string }

// A quote describes the strings in one kind of quotation marks.
type quote struct {
	mark    string
	escapes bool // a backslash escapes the next character
	lines   bool // the string may have several lines
}

var (
	double   = quote{mark: `"`, escapes: true}
	single   = quote{mark: "'", escapes: true}
	raw      = quote{mark: "`", lines: true}
	cComment = []block{{"/*", "*/"}}
)

// classes returns a map from words to their classes. Each pair is a class and its words, separated by spaces.
func classes(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		for word := range strings.FieldsSeq(pairs[i+1]) {
			m[word] = pairs[i]
		}
	}
	return m
}

// languages returns the languages by the names that code blocks of Markdown use. The first call makes the table.
var languages = sync.OnceValue(func() map[string]*syntax {
	table := map[string]*syntax{}
	for names, l := range map[string]*syntax{
		"go golang":                           golang(),
		"python py python3 ipython ipython3":  python(),
		"sh bash shell zsh console":           shell(),
		"json":                                {quotes: []quote{double}, words: classes("kc", "true false null"), keys: true},
		"jsonc json5":                         {line: []string{"//"}, block: cComment, quotes: []quote{double, single}, words: classes("kc", "true false null"), keys: true},
		"yaml yml":                            {line: []string{"#"}, quotes: []quote{double, single}, letters: "-./", words: classes("kc", "true false null yes no"), keys: true},
		"toml ini":                            {line: []string{"#", ";"}, quotes: []quote{double, single}, letters: "-", words: classes("kc", "true false")},
		"c h cpp c++ cc cuda":                 c(),
		"java kotlin kt scala csharp cs c#":   java(),
		"js javascript ts typescript jsx tsx": javascript(),
		"rust rs zig swift":                   rust(),
		"sql postgresql mysql sqlite":         sql(),
		"r julia jl":                          statistics(),
		"html xml svg xhtml":                  {scan: scanMarkup},
		"diff patch":                          {scan: scanDiff},
	} {
		for name := range strings.FieldsSeq(names) {
			table[name] = l
		}
	}
	return table
})

func golang() *syntax {
	return &syntax{
		line: []string{"//"}, block: cComment, quotes: []quote{double, single, raw}, calls: true,
		words: classes("kn", "import package", "kd", "var func struct map chan type interface const",
			"k", "break default select case defer go else goto switch fallthrough if range continue for return",
			"kc", "true false iota nil",
			"kt", "uint uint8 uint16 uint32 uint64 int int8 int16 int32 int64 float32 float64 complex64 complex128 byte rune string bool error uintptr any comparable",
			"nb", "print println panic recover close complex real imag len cap append copy delete new make clear min max"),
	}
}

func python() *syntax {
	return &syntax{
		line: []string{"#"}, calls: true,
		quotes: []quote{{mark: `"""`, escapes: true, lines: true}, {mark: "'''", escapes: true, lines: true}, double, single},
		words: classes("kn", "import from as", "kc", "True False None", "ow", "and or not in is",
			"k", "def class if elif else for while return yield with try except finally raise pass break continue lambda global nonlocal assert del async await match case",
			"nb", "print range len int float str list dict set tuple bool sum min max sorted enumerate zip map filter open isinstance super self"),
	}
}

func shell() *syntax {
	return &syntax{
		line: []string{"#"}, letters: "-./", quotes: []quote{{mark: `"`, escapes: true, lines: true}, {mark: "'", lines: true}},
		words: classes("k", "if then else elif fi for while until do done case esac in function return",
			"nb", "cd echo export set unset read printf source exit test eval exec trap shift local alias"),
	}
}

func c() *syntax {
	return &syntax{
		line: []string{"//"}, block: cComment, quotes: []quote{double, single}, letters: "#", calls: true,
		words: classes("cp", "#include #define #undef #if #ifdef #ifndef #elif #else #endif #pragma #error",
			"k", "if else for while do switch case default break continue return goto sizeof typedef struct union enum static extern const volatile inline class public private protected virtual template typename namespace using new delete this try catch throw operator friend constexpr",
			"kc", "true false NULL nullptr",
			"kt", "void char short int long float double signed unsigned bool auto size_t ssize_t int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t"),
	}
}

func java() *syntax {
	return &syntax{
		line: []string{"//"}, block: cComment, quotes: []quote{{mark: `"""`, escapes: true, lines: true}, double, single}, calls: true,
		words: classes("kn", "import package using namespace",
			"k", "class interface enum record extends implements abstract final static public private protected internal override void new this super if else for foreach while do switch when case default break continue return try catch finally throw throws synchronized instanceof fun val var object def trait async await in is as",
			"kc", "true false null", "kt", "boolean byte short int long float double char string String Int Long Double Boolean Any"),
	}
}

func javascript() *syntax {
	return &syntax{
		line: []string{"//"}, block: cComment, quotes: []quote{double, single, {mark: "`", escapes: true, lines: true}}, letters: "$", calls: true,
		words: classes("kn", "import export from", "kd", "var let const function class type interface enum",
			"k", "if else for while do switch case default break continue return try catch finally throw new delete typeof instanceof in of async await yield extends implements static public private readonly as this super",
			"kc", "true false null undefined NaN Infinity", "kt", "string number boolean any unknown never void object bigint symbol"),
	}
}

func rust() *syntax {
	return &syntax{
		line: []string{"//"}, block: cComment, quotes: []quote{double}, calls: true,
		words: classes("kn", "use mod crate import extern",
			"k", "fn let mut const static struct enum union trait impl for if else match while loop return break continue pub where as in move ref unsafe async await dyn type func var class protocol extension guard switch case default self Self super try catch throw throws defer comptime",
			"kc", "true false None Some Ok Err nil null undefined",
			"kt", "i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 bool char str String Vec Option Result Int Double Float Bool void"),
	}
}

func sql() *syntax {
	return &syntax{
		line: []string{"--"}, block: cComment, quotes: []quote{{mark: "'", lines: true}, {mark: `"`, lines: true}}, ignoresCase: true, calls: true,
		words: classes("k", "select from where group by order having limit offset join left right inner outer full cross on using as insert into values update set delete create table view index drop alter add primary key foreign references unique not null default and or in is like between exists case when then else end union all distinct with asc desc begin commit rollback",
			"kc", "true false", "kt", "int integer bigint smallint real double float numeric decimal text varchar char boolean date time timestamp blob"),
	}
}

func statistics() *syntax {
	return &syntax{
		line: []string{"#"}, quotes: []quote{{mark: `"""`, escapes: true, lines: true}, {mark: `"`, escapes: true, lines: true}, single}, letters: ".", calls: true,
		words: classes("kn", "library require using import module",
			"k", "function if else for while repeat next break return in end begin do let struct mutable abstract macro quote const global local elseif try catch finally",
			"kc", "TRUE FALSE NULL NA NaN Inf true false nothing missing"),
	}
}
