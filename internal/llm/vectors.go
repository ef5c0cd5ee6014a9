package llm

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
)

// CheckInputs refuses texts that no provider embeds. Its error is a mistake of ours and no *Error.
func CheckInputs(texts []string) error {
	if len(texts) == 0 || len(texts) > MostInputs || slices.Contains(texts, "") {
		return fmt.Errorf("embedding texts: from 1 to %d texts, none of them empty", MostInputs)
	}
	return nil
}

// FinishVectors refuses vectors that are too few, of several lengths, or no numbers, and shortens those that are longer
// than asked for. Adapters call it last.
func FinishVectors(vectors Vectors, texts, dimensions int) (Vectors, error) {
	unfit := &Error{Class: Unfit, Code: CodeGarbled, Status: http.StatusOK, Usage: vectors.Usage}
	if len(vectors.Values) != texts {
		return Vectors{}, unfit
	}
	length := len(vectors.Values[0])
	for i, values := range vectors.Values {
		if len(values) == 0 || len(values) != length || length < dimensions {
			return Vectors{}, unfit
		}
		if dimensions > 0 && length > dimensions {
			values = shorten(values, dimensions)
			vectors.Values[i] = values
		}
		for _, value := range values {
			if math.IsNaN(float64(value)) || math.IsInf(float64(value), 0) {
				return Vectors{}, unfit
			}
		}
	}
	return vectors, nil
}

// shorten keeps the first values and makes the length 1 again, which is how models that are trained for it are cut.
func shorten(values []float32, dimensions int) []float32 {
	sum := 0.0
	for _, value := range values[:dimensions] {
		sum += float64(value) * float64(value)
	}
	short := make([]float32, dimensions)
	for i := range short {
		short[i] = float32(float64(values[i]) / max(math.Sqrt(sum), 1e-12))
	}
	return short
}

// Near returns the cosine of the angle between two vectors of one length: 1 for the same direction.
func Near(a, b []float32) float64 {
	var dot, lengthA, lengthB float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
		lengthA += float64(a[i]) * float64(a[i])
		lengthB += float64(b[i]) * float64(b[i])
	}
	return dot / max(math.Sqrt(lengthA*lengthB), 1e-12)
}

// SortOffers sorts by name and drops doubles.
func SortOffers(offers []Offer) []Offer {
	slices.SortFunc(offers, func(a, b Offer) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(offers, func(a, b Offer) bool { return a.Name == b.Name })
}

// Estimate guesses tokens from above: a token is seldom less than two bytes of text.
func Estimate(text string) int { return (len(text) + 1) / 2 }

// EstimatePrompt is Estimate of all that a request says.
func EstimatePrompt(request Request) int {
	sum := Estimate(request.System)
	for _, message := range request.Messages {
		sum += Estimate(message.Text) + 8
		for _, call := range message.Calls {
			sum += Estimate(string(call.Arguments)) + 8
		}
	}
	for _, tool := range request.Tools {
		sum += Estimate(tool.Name+tool.Description) + Estimate(string(tool.Parameters))
	}
	if request.JSON != nil {
		sum += Estimate(string(request.JSON.Schema))
	}
	return sum
}
