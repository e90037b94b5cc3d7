//! Keyword spotting, three sizes compiled ahead and weights at run time; and two of the sizes by themselves.

use kernforge::network;

/// Keyword spotting over 49 frames of 10 cepstral coefficients: the probabilities of 12 words.
#[network(weights = runtime, family(HIDDEN = [8, 16, 32]))]
impl<const HIDDEN: usize> Kws<HIDDEN> {
    pub fn forward(&mut self, mfcc: Tensor![f32; 49, 10]) -> Tensor![f32; 12] {
        let conv = relu(conv1d(mfcc, HIDDEN, kernel = 5, stride = 2, pad = 2));
        let rnn = gru(conv, HIDDEN);
        let fc = linear(rnn.h, 12);
        softmax(fc)
    }
}

/// The smallest, written by itself.
#[network(weights = runtime)]
impl Small {
    pub fn forward(&mut self, mfcc: Tensor![f32; 49, 10]) -> Tensor![f32; 12] {
        let conv = relu(conv1d(mfcc, 8, kernel = 5, stride = 2, pad = 2));
        let rnn = gru(conv, 8);
        let fc = linear(rnn.h, 12);
        softmax(fc)
    }
}

/// The one in the middle, written by itself.
#[network(weights = runtime)]
impl Middle {
    pub fn forward(&mut self, mfcc: Tensor![f32; 49, 10]) -> Tensor![f32; 12] {
        let conv = relu(conv1d(mfcc, 16, kernel = 5, stride = 2, pad = 2));
        let rnn = gru(conv, 16);
        let fc = linear(rnn.h, 12);
        softmax(fc)
    }
}
