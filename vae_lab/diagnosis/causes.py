"""The mistakes that `diagnose` knows: for each its cause in a sentence, the remedy, and the page of the book."""

from __future__ import annotations

from vae_lab.diagnosis.findings import Finding

KL = "KL = -0.5 * (1 + logvar - mu**2 - logvar.exp()), summed over the latent dimensions"
UNITS = "Sum both terms over pixels and latent dimensions, in nats; then average both over the images."
NEW_EPS = "Draw eps in the shape of mu, [B, D]: torch.randn_like(mu)."
SAME_SIGMA = (
    "If the encoder gives logvar: exp(logvar / 2) in the draw, logvar.exp() in the KL. If it gives log sigma: "
    "exp(log_sigma) in the draw, 2 * log_sigma and exp(2 * log_sigma) in the KL."
)
NO_ACTIVATION = "Take the activation off; the last layer of the encoder is linear."

# name -> cause, remedy, page
CAUSES: dict[str, tuple[str, str, str]] = {
    # the draw of z
    "no_noise": (
        "There is no noise: z is mu.",
        "Write z = mu + sigma * eps, with eps = torch.randn_like(mu) drawn anew each time.",
        "reparameterization",
    ),
    "noise_in_eval_only": (
        "The noise is drawn in eval mode and left out in training.",
        "Turn the condition round: draw if self.training, else z = mu.",
        "reparameterization",
    ),
    "fixed_noise": (
        "The noise is the same in every pass.",
        "Draw eps inside forward, with no manual_seed and no stored eps there.",
        "reparameterization",
    ),
    "shared_noise": ("All images of a batch get the same noise.", NEW_EPS, "reparameterization"),
    "repeated_noise": ("Some images of a batch get the same noise.", NEW_EPS, "reparameterization"),
    "repeated_entries": ("Some latent dimensions of an image get the same noise.", NEW_EPS, "reparameterization"),
    "one_noise_per_image": ("All latent dimensions of an image get the same noise.", NEW_EPS, "reparameterization"),
    "noise_not_normal": ("The noise is not normal.", "Draw eps with torch.randn_like(mu).", "reparameterization"),
    "spread_ignored": (
        "The spread that the encoder gives is not used in the draw of z.",
        "Write z = mu + sigma * eps, with sigma = exp(logvar / 2).",
        "reparameterization",
    ),
    "mean_scaled": (
        "sigma multiplies mu, and not the noise.",
        "Write z = mu + sigma * eps: sigma scales the noise alone, and mu is added after that.",
        "reparameterization",
    ),
    "prior_draw": (
        "z is drawn without the encoder: neither mu nor sigma goes into it.",
        "Write z = mu + sigma * eps; a draw from the prior alone is for generating.",
        "reparameterization",
    ),
    "mean_ignored": (
        "The mean that the encoder gives is not used in the draw of z.",
        "Write z = mu + sigma * eps, with the encoder's mu.",
        "reparameterization",
    ),
    "constant_sigma": (
        "sigma is the same for all images, whatever the encoder's layer of logvar says.",
        "Look at what is done to logvar before the draw: a clamp with min above max, a zero factor.",
        "reparameterization",
    ),
    "spread": ("The draw and the KL disagree about sigma.", SAME_SIGMA, "reparameterization"),
    "cut_sample": (
        "The gradient does not pass the draw of z: the encoder learns nothing from the pictures.",
        "Write z = mu + sigma * eps, or rsample() for sample(); no detach, no_grad, NumPy or torch.normal(mu, sigma).",
        "gradient_paths",
    ),
    "cut_spread": (
        "The gradient passes mu, but not the spread.",
        "Take detach (or .data, no_grad, item) off sigma in z = mu + sigma * eps.",
        "gradient_paths",
    ),
    "encoder_without_gradient": (
        "No gradient reaches the encoder, neither from the pictures nor from the KL.",
        "Take no_grad, detach or requires_grad_(False) off the encoder.",
        "gradient_paths",
    ),
    "kl_without_gradient": (
        "The KL is counted in the loss, but its gradient does not reach the encoder.",
        "Take item(), detach or no_grad off the KL and off what it is made of; keep a number for the log beside it.",
        "gradient_paths",
    ),
    "kl_gradient": (
        "The KL has the right value, and another gradient: a part of it is cut off.",
        "Take detach, item and no_grad off mu, sigma and z where the KL is computed.",
        "gradient_paths",
    ),
    "frozen": (
        "No parameter of the model asks for a gradient.",
        "Call model.requires_grad_(True), and build the optimizer after it.",
        "gradient_paths",
    ),
    # encoder and decoder
    "changed_images": (
        "The model changes the images that it is given: the loss, and the next epoch, see the changed ones.",
        "Take the step that ends in _ (sub_, div_, clamp_, x[...] =) off x, or make it on a copy: x = (x - 0.5) / 0.5.",
        "gradient_paths",
    ),
    "one_sided_mu": ("mu cannot change its sign: an activation stands after its layer.", NO_ACTIVATION, "training"),
    "one_answer": (
        "mu and logvar are one and the same number.",
        "Give each a layer of its own, or cut one layer of width 2 D in two: chunk(2, dim=1).",
        "training",
    ),
    "bounded_mu": ("mu is squeezed into an interval: an activation stands after its layer.", NO_ACTIVATION, "training"),
    "one_sided_logvar": (
        "sigma cannot be smaller than 1: an activation stands after the layer of logvar.",
        NO_ACTIVATION,
        "training",
    ),
    "bounded_logvar": (
        "sigma is squeezed into an interval: an activation stands after its layer.",
        NO_ACTIVATION,
        "training",
    ),
    "answer_of_batch": (
        "What the encoder says of an image depends on the other images of its batch.",
        "Take BatchNorm off mu and logvar; keep each image in its row in view, reshape and mean.",
        "training",
    ),
    "picture_of_batch": (
        "The picture of an image depends on the other images of its batch.",
        "Keep each image in its row: look at view, reshape and transposes in the decoder.",
        "training",
    ),
    "constant_mu": (
        "mu is the same for all images.",
        "Look what the encoder is given: a dead layer, the wrong variable, a mean over the batch.",
        "training",
    ),
    "deaf_decoder": (
        "The decoder does not hear z.",
        "Look where z is lost on its way: a zero factor, a dead layer, another variable in its place.",
        "training",
    ),
    "deaf_dimensions": (
        "The decoder does not hear all of z.",
        "Look where a part of z is lost: a slice, a split, a layer that takes fewer numbers.",
        "training",
    ),
    "decoder_sees_image": (
        "The decoder sees the image itself, past z.",
        "Give the decoder z alone: no skip connection from the encoder, no x among its inputs.",
        "autoencoders",
    ),
    "collapse": (
        "The posterior has collapsed: the decoder draws the average image for every z.",
        "Look at the weight of the KL term; warm it up from 0, or train longer with a smaller learning rate.",
        "training",
    ),
    "dropout_in_eval": (
        "Dropout goes on in eval mode, behind z.",
        "Use torch.nn.Dropout, or F.dropout(h, p, training=self.training).",
        "training",
    ),
    "eval_differs": (
        "The model falls apart in eval mode.",
        "Look at BatchNorm: its running averages must be updated in training (momentum, frozen buffers).",
        "training",
    ),
    # the likelihood
    "not_finite": ("There are pixels that are no numbers.", "Look at how the images are loaded.", "elbo"),
    "pixel_range": (
        "The pixels are outside what the decoder and the likelihood can give.",
        "Rescale the images first.",
        "elbo",
    ),
    "cut_picture": (
        "The gradient does not pass from the loss to the decoder's picture: nothing is learned from it.",
        "Take detach, no_grad, NumPy, round and argmax off the picture on its way into the loss.",
        "gradient_paths",
    ),
    "no_reconstruction": (
        "The loss does not look at the decoder's picture.",
        "Compare the decoder's result with x in the loss.",
        "elbo",
    ),
    "sigmoid_twice": (
        "Two sigmoids stand between the decoder's last layer and the loss.",
        "Take the sigmoid out of the decoder, or use binary_cross_entropy without _with_logits.",
        "elbo",
    ),
    "squeezed_logits": (
        "An activation stands between the decoder's last layer and a loss that wants logits.",
        "Take it off: logits are any real numbers.",
        "elbo",
    ),
    "swapped_arguments": (
        "The image and the picture have changed places in the cross-entropy.",
        "The decoder's result comes first, the target second: binary_cross_entropy_with_logits(logits, x).",
        "elbo",
    ),
    "part_of_image": (
        "A part of the picture is not compared with the image.",
        "Compare all pixels: look for a slice, a mask, a loss on one channel.",
        "elbo",
    ),
    "part_of_batch": (
        "Some images of the batch have no part in the loss.",
        "Sum over the pixels of every image, and average over all of them: look for an index, a slice.",
        "elbo",
    ),
    "other_target": (
        "The picture is not compared with its own image.",
        "Keep each image beside its picture: look for a shuffle, a roll, a transpose before the loss.",
        "elbo",
    ),
    "half_likelihood": (
        "The dark pixels are not counted: (1 - x) log(1 - p) is missing.",
        "Use binary_cross_entropy_with_logits.",
        "elbo",
    ),
    "dark_sign": (
        "The dark pixels are counted with the wrong sign: brackets around x log p + (1 - x) log(1 - p) are missing.",
        "Use binary_cross_entropy_with_logits.",
        "elbo",
    ),
    # the KL term
    "no_kl": ("There is no KL term in the loss.", f"Add {KL}.", "elbo"),
    "kl_sign": ("A term of the KL has the wrong sign", f"{KL}.", "elbo"),
    "kl_term_missing": ("A term of the KL is missing", f"{KL}.", "elbo"),
    "kl_mu": ("mu^2 is not what stands in the KL", f"{KL}.", "elbo"),
    "kl_log": ("The logarithm in the KL is not that of sigma^2", f"{KL}, with logvar = log sigma^2.", "elbo"),
    "kl_variance": ("sigma stands in the KL where sigma^2 belongs", f"{KL}, with logvar.exp() = sigma^2.", "elbo"),
    "kl_reversed": ("The KL is taken the other way round, KL(N(0, 1) || q)", "kl_divergence(q, prior).", "elbo"),
    "kl_other": (
        "The term beside the reconstruction is not KL(q(z|x) || N(0, I)).",
        f"{KL}. If your prior or your bound is another one, this is meant.",
        "elbo",
    ),
    # signs and weights
    "sign_of_loss": (
        "The loss has the wrong sign: it is the ELBO, and would be made small.",
        "Minimise -ELBO: reconstruction error plus KL.",
        "elbo",
    ),
    "sign_of_reconstruction": (
        "The reconstruction term has the wrong sign.",
        "Add the cross-entropy (it is -log p(x|z)); do not subtract it.",
        "elbo",
    ),
    "sign_of_kl": ("The KL term is subtracted.", "Loss = reconstruction error + KL.", "elbo"),
    "pixel_mean": ("The reconstruction error is averaged over the pixels, and the KL is not.", UNITS, "elbo"),
    "batch_mean": ("The reconstruction error is averaged over the images, and the KL is summed.", UNITS, "elbo"),
    "kl_batch_mean": ("The KL is averaged over the images, and the reconstruction error is summed.", UNITS, "elbo"),
    "kl_pixel_mean": ("The KL is divided by the number of pixels, and the error is not.", UNITS, "elbo"),
    "kl_latent_mean": ("The KL is averaged over the latent dimensions.", UNITS, "elbo"),
    "kl_wrong_axis": (
        "The KL is summed over the images and averaged over the latent dimensions.",
        "Sum over the latent dimensions, the last axis; average over the images, the first.",
        "elbo",
    ),
    "kl_twice": ("The factor 1/2 is missing in the KL.", f"{KL}.", "elbo"),
    "kl_half": ("The factor 1/2 stands twice in the KL.", f"{KL}.", "elbo"),
    "bits": ("One term is in bits, the other in nats.", "Use the natural logarithm in both.", "elbo"),
    "kl_weight": ("The two terms are out of proportion.", "Look for a factor before one of them (beta).", "elbo"),
}


def finding(name: str, measured: str, more: str = "", remedy: str = "") -> Finding:
    """The finding of that name; `more` goes on with its cause, `remedy` with its remedy."""
    cause, cure, page = CAUSES[name]
    return Finding(
        name, f"{cause.rstrip('.')}: {more}." if more else f"{cause.rstrip('.')}.", measured,
        f"{cure.rstrip('.')}: {remedy}." if remedy else cure, page,
    )  # fmt: skip
