"""The equations of `model.graph` as compiled loops: fast, and tested against the plain graph.

The document vector feeds the output layer alone, so hidden states do not depend on it: `forward`
computes a batch's hidden states first. It leaves in the workspace the values from which `backward`
computes gradients; `batches` has the loops over batches. `online` and `learning` test while weights
learn, a sentence at a time. Products are BLAS's (`blas`). Where rows must not depend on each
other, or the weights change meanwhile, `rows` computes them, in `blocks` that a processor's
registers hold.

Backpropagation, for the word w = w_{t+1} of class c, whose loss is L_t:

    class_deltas       δ_c = P(·) - 1[c]            by the scores of the classes
    word_deltas        δ_w = P(·|c) - 1[w]          by the scores of the words of c
    hidden_gradient    ∂L_t/∂h_t = W_cᵀ δ_c + W_o[c]ᵀ δ_w
                       ∂L/∂h_t   = ∂L_t/∂h_t + W_hᵀ δ_h,t+1
    hidden_deltas      δ_h,t = clip(∂L/∂h_t ⊙ h_t ⊙ (1 - h_t))      by the sigmoid's inputs
    document_gradient  ∂L_t/∂d_t = V_cᵀ δ_c + V_o[c]ᵀ δ_w

    ∂L/∂W_c = Σ δ_c hᵀ      ∂L/∂W_o[c] = Σ δ_w hᵀ      ∂L/∂W_h = Σ δ_h,t h_{t-1}ᵀ
    ∂L/∂V_c = Σ δ_c dᵀ      ∂L/∂V_o[c] = Σ δ_w dᵀ      ∂L/∂E[w_t] = Σ δ_h,t

Deltas are derivatives with respect to softmax or sigmoid inputs; clip limits δ_h to ±error_clip.
V_c and V_o are stored transposed. A word that is alone in its class has P(w|c) = 1: it needs
no score, and has no deltas. Matrices are in row-major order, with a row for every word or sentence;
all reals have the weights' dtype, and log-probabilities are float64. The functions have no
annotations, as numba infers their types.
"""

from online_rnnlm.core.engines.kernels.compiled import prepare

prepare()
