package mp

import "strings"

// WithArticle returns name with its indefinite article, for a message. The article
// follows the sound of the first word: "an os.File", "a uint8", "an mp.Queue", "a
// *os.File".
func WithArticle(name string) string {
	if beginsWithVowel(name) {
		return "an " + name
	}
	return "a " + name
}

// spelled has words that are pronounced letter by letter and begin with a vowel sound,
// as in "an mp".
var spelled = map[string]bool{
	"fs": true, "html": true, "http": true, "httptest": true, "mp": true, "rpc": true, "rsa": true,
	"x509": true, "xml": true, "RWMutex": true,
}

func beginsWithVowel(name string) bool {
	if name == "" {
		return false
	}
	word, _, _ := strings.Cut(name, ".")
	if spelled[word] {
		return true
	}
	switch name[0] {
	case 'a', 'e', 'i', 'o', 'A', 'E', 'I', 'O':
		return true
	case 'u', 'U': // as in unsafe; not as in uint, unicode, url, user
		return len(name) > 2 && name[1] == 'n' && name[2] != 'i'
	}
	return false
}
